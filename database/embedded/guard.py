"""`start_guard`: a process that stops an embedded server after its last command has ended."""

import os
import select
import signal
import subprocess
import sys
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
#: Without descriptors of processes, a signal could reach another process.
HAS_GUARD = hasattr(os, "pidfd_open")


def start_guard(
    startup_lock: Path, users_lock: Path, server_pid: int
) -> "subprocess.Popen[bytes] | None":
    """
    Start a process that watches the server that was just started; it ends with the server.

    The last command that closes its share stops the server, but a killed command cannot.
    """
    if not HAS_GUARD:
        return None
    arguments = [str(startup_lock), str(users_lock), str(server_pid)]
    return subprocess.Popen(
        [sys.executable, "-I", "-S", __file__, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd="/",
        start_new_session=True,
    )


def _watch(startup_lock: Path, users_lock: Path, server_pid: int) -> None:
    server = os.pidfd_open(server_pid)
    end = select.poll()
    end.register(server, select.POLLIN)
    while not end.poll(SECONDS_BETWEEN_LOOKS * 1000):
        # As in `Share`: no other process can open or close a share meanwhile.
        with _locked(startup_lock), suppress(BlockingIOError), _locked(users_lock, fcntl.LOCK_NB):
            signal.pidfd_send_signal(server, signal.SIGINT)  # A fast shutdown.
            end.poll(_STOP_SECONDS * 1000)


@contextmanager
def _locked(path: Path, flags: int = 0) -> Iterator[None]:
    # The file is not created if it is missing: the home was deleted.
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | flags)
        yield
    finally:
        os.close(descriptor)


if __name__ == "__main__":
    with suppress(OSError):  # The server or its home is gone.
        _watch(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
