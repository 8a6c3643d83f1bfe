"""Files that others may be reading: there under their names when they are complete."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO


@contextmanager
def written_anew(path: Path) -> Iterator[IO[bytes]]:
    """
    Open a file that takes the place of *path* when the block ends well, and goes away if not.

    Raises:
        OSError: it cannot be written.
    """
    folder = path.resolve().parent
    with tempfile.NamedTemporaryFile(dir=folder, prefix=f".{path.name}.", delete=False) as file:
        try:
            yield file
            file.flush()
            os.fsync(file.fileno())
            # As any other new file has it, and not for its owner alone.
            os.chmod(file.name, 0o666 & ~_umask())  # noqa: PTH101 -- the name is a text
            os.replace(file.name, path)  # noqa: PTH105
        except BaseException:
            with suppress(OSError):
                os.unlink(file.name)  # noqa: PTH108
            raise


def _umask() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return mask
