"""The lock files of an embedded server's home: `hold_lock`, `share_lock`, `try_lock`."""

import contextlib
import errno
import os
import time
from collections.abc import Iterator
from pathlib import Path

from database.errors import DatabaseNotReady

try:
    import fcntl
except ImportError:  # Windows, which `open_embedded` refuses.
    fcntl = None  # type: ignore[assignment]

HAS_LOCKS = fcntl is not None
#: Short, because every last command waits in this way for the end of the server.
_POLL_SECONDS = 0.001


@contextlib.contextmanager
def open_lock(path: Path) -> Iterator[int]:
    """
    Open the lock file *path*, without locking it yet.

    At the end the lock is free, unless a process that inherited the descriptor still runs.
    """
    descriptor = open_lock_file(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock file *path* exclusively; wait for it without a limit."""
    with open_lock(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing is not enough if another thread has forked meanwhile.
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def share_lock(path: Path) -> int:
    """Hold a shared lock on *path* until the returned descriptor is closed."""
    descriptor = open_lock_file(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def open_lock_file(path: Path) -> int:
    """Return a descriptor that child processes do not inherit, unless it is passed to them."""
    try:
        return open_own_file(path, os.O_RDWR)
    except OSError as error:
        if error.errno != errno.EROFS:
            raise
        # A file system may have become read-only; a lock then works on a descriptor for reading.
        return open_own_file(path, os.O_RDONLY)


def open_own_file(path: Path, flags: int) -> int:
    """
    Return a descriptor of a file that only the current user can use; create it if necessary.

    Raises:
        DatabaseNotReady: it is a symbolic link, which could lead to a file of another user.
    """
    try:
        return os.open(path, flags | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise DatabaseNotReady(
            f"{path} is a symbolic link, which is not followed. Remove it, and run this again."
        ) from error


def share_again(descriptor: int) -> None:
    """Change an exclusive lock, or a failed attempt to get one, back to a shared lock."""
    fcntl.flock(descriptor, fcntl.LOCK_SH)


def try_lock(descriptor: int, timeout_seconds: float = 0) -> bool:
    """Lock exclusively and return True; False if others still hold the lock after the wait."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(_POLL_SECONDS)
        else:
            return True
