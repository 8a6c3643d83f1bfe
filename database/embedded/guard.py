"""
`start_guard`: a process that stops an embedded server after its last command has ended.

`let_server_stay`: the guard waits for a while before it does that.
"""

import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows, which `open_embedded` refuses.
    fcntl = None  # type: ignore[assignment]

#: Seconds between two checks of the guard. A command that was killed has lost its share by then.
SECONDS_BETWEEN_LOOKS = 3.0
_STOP_SECONDS = 30.0


def start_guard(startup_lock: Path, users_lock: Path, guard_lock: int, server_pid: int) -> None:
    """
    Start a process that watches the server that was just started; it ends with the server.

    The last command that closes its share stops the server, but a killed command cannot. The guard
    inherits the lock *guard_lock*, so that others know that it runs.
    """
    if not hasattr(os, "pidfd_open"):  # A signal could reach another process.
        return
    os.truncate(users_lock, 0)  # No server before this one has a time to stay.
    with suppress(BlockingIOError):  # The guard of a server that has just ended still has it.
        fcntl.flock(guard_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    arguments = [str(startup_lock), str(users_lock), str(server_pid)]
    guard = subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
        pass_fds=[guard_lock],
    )
    threading.Thread(target=guard.wait, daemon=True).start()  # Otherwise it would become a zombie.


def let_server_stay(users_lock: int, guard_lock: int, seconds: float) -> bool:
    """
    Let the guard stop the server after *seconds* without users; return whether it will do so.

    The caller holds the locks of start-up and, as the last user, of users.
    """
    with suppress(BlockingIOError):
        fcntl.flock(guard_lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(guard_lock, fcntl.LOCK_UN)
        return False  # No guard runs.
    with suppress(OSError):  # The disk is full or read-only.
        os.ftruncate(users_lock, 0)
        os.pwrite(users_lock, str(time.monotonic() + seconds).encode(), 0)
        return True
    return False


def _may_stay(users_lock: int) -> bool:
    """Return whether the last user has let the server stay until a time that is not over."""
    return time.monotonic() < float(os.pread(users_lock, 64, 0) or 0)


def _watch(startup_lock: Path, users_lock: Path, server_pid: int) -> None:
    server = os.pidfd_open(server_pid)
    end = select.poll()
    end.register(server, select.POLLIN)
    while not end.poll(SECONDS_BETWEEN_LOOKS * 1000):
        # As in `EmbeddedServer`: no other process can open or close a share meanwhile.
        with (
            _locked(startup_lock),
            suppress(BlockingIOError),
            _locked(users_lock, fcntl.LOCK_NB) as users,
        ):
            if _may_stay(users):
                continue
            signal.pidfd_send_signal(server, signal.SIGINT)  # A fast shutdown.
            end.poll(_STOP_SECONDS * 1000)


@contextmanager
def _locked(path: Path, flags: int = 0) -> Iterator[int]:
    # The file is not created if it is missing: the home was deleted.
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        yield descriptor
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    with suppress(OSError):  # The server or its home is gone.
        _watch(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
