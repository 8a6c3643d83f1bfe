"""
`open_output`: open a file, link, pipe or device for writing, as `cp` treats its target.

`reader_may_leave`: a command whose reader closes the pipe ends without an error.
"""

import errno
import os
import re
import secrets
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

#: The path that means stdout.
STDOUT = Path("-")
_DESCRIPTORS = {STDOUT: 1, Path("/dev/stdout"): 1, Path("/dev/stderr"): 2}
_DESCRIPTOR = re.compile(r"/(?:dev|proc/self)/fd/(\d+)")
#: Errors of files that cannot be replaced: in a folder of another user, or a mount point.
_CANNOT_REPLACE = {errno.EACCES, errno.EPERM, errno.EROFS, errno.EBUSY, errno.EXDEV}


@contextmanager
def open_output(path: Path) -> Iterator[IO[bytes]]:
    """
    Open *path* for writing.

    `-`, a pipe and a device are written to directly. A regular file is replaced in one step if the
    block ends without an error, and otherwise stays as it was; a link stays, and its target is
    replaced.

    Raises:
        OSError: *path* cannot be written; the message names it.
    """
    try:
        if path == STDOUT:
            yield sys.stdout.buffer
            sys.stdout.flush()
        elif (stream := open_stream(path)) is not None:
            with stream:
                yield stream
        else:
            with _replaced(Path(os.path.realpath(path))) as file:
                yield file
    except OSError as error:
        error.filename, error.filename2 = "stdout" if path == STDOUT else str(path), None
        raise


def open_stream(path: Path) -> IO[bytes] | None:
    """
    Open *path* if it is written to directly; None if it is a regular file, or does not exist.

    Raises:
        OSError: it cannot be opened.
    """
    match = _DESCRIPTOR.fullmatch(str(path))
    descriptor = int(match[1]) if match else _DESCRIPTORS.get(path)
    if descriptor is not None:
        # Not opened by name: a file would be overwritten from its beginning, and a socket cannot be
        # opened.
        sys.stdout.flush()
        return os.fdopen(os.dup(descriptor), "wb")
    return path.open("wb") if path.exists() and not path.is_file() else None


@contextmanager
def reader_may_leave() -> Iterator[None]:
    """End the program with exit code 0 if the reader of stdout, such as `head`, has closed it."""
    try:
        yield
    except BrokenPipeError:
        discard_stdout()
        sys.exit(0)


def discard_stdout() -> None:
    """Discard what stdout still holds, and all that follows: writing it would fail again."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextmanager
def _replaced(target: Path) -> Iterator[IO[bytes]]:
    if target.is_symlink():
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
    if target.exists() and not os.access(target, os.W_OK):
        raise OSError(errno.EACCES, os.strerror(errno.EACCES))
    # A file without a name: nothing is left of it, also if the process is killed.
    with _open_nameless(target) as file:
        yield file
        file.flush()
        os.fsync(file.fileno())
        try:
            _give_name(file, target)
        except OSError as error:
            if error.errno not in _CANNOT_REPLACE or not target.exists():
                raise
            _copy(file, target, "r+b")


def _open_nameless(target: Path) -> IO[bytes]:
    try:
        return tempfile.TemporaryFile(dir=target.parent)
    except OSError as error:
        if error.errno not in _CANNOT_REPLACE or not target.exists():
            raise
        return tempfile.TemporaryFile()


def _give_name(file: IO[bytes], target: Path) -> None:
    """Let *file* take the place of *target*, with its owner and mode."""
    hidden = target.with_name(f".{secrets.token_hex(8)}.part")
    try:
        _link(file, hidden)
        if target.exists():
            before = target.stat()
            with suppress(OSError):
                os.chown(hidden, before.st_uid, before.st_gid)
            hidden.chmod(before.st_mode & 0o7777)
        else:
            hidden.chmod(0o666 & ~_umask())
        hidden.replace(target)
    except BaseException:
        hidden.unlink(missing_ok=True)
        raise


def _link(file: IO[bytes], path: Path) -> None:
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        # With a folder given, links are followed; this one leads to the nameless file.
        os.link(f"/proc/self/fd/{file.fileno()}", path.name, dst_dir_fd=folder)
    except OSError:  # Not on Linux, or on a file system that cannot do it.
        _copy(file, path, "xb")
    finally:
        os.close(folder)


def _copy(file: IO[bytes], path: Path, mode: str) -> None:
    file.seek(0)
    with path.open(mode) as copy:
        copy.truncate()
        shutil.copyfileobj(file, copy)
        copy.flush()
        os.fsync(copy.fileno())


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
