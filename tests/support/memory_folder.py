"""`use_memory_folder`: the temporary folders of tests in memory, where there is room for them."""

import os

import psutil

#: Where Linux keeps files in memory.
FOLDER = "/dev/shm"
#: The files of all tests together take about 1.5 GB at most, nearly all of them PostgreSQL's.
NEEDED_BYTES = 3 * 2**30


def use_memory_folder() -> None:
    """
    Let pytest create its temporary folders in memory.

    Creating databases and homes costs the kernel a fifth of what it costs on a disk. Nothing
    changes where the folder is noexec or small, or where memory is short, as in containers.
    """
    if _has_room():
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", FOLDER)


def _has_room() -> bool:
    if not os.access(FOLDER, os.W_OK):
        return False
    folder = os.statvfs(FOLDER)
    if folder.f_flag & os.ST_NOEXEC or folder.f_bavail * folder.f_frsize < NEEDED_BYTES:
        return False
    return psutil.virtual_memory().available >= 2 * NEEDED_BYTES
