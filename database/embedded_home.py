"""`Home`: the files of an embedded server; `SocketAddress`: the path that leads to its socket."""

import contextlib
import os
import shutil
import stat
import tempfile
from functools import partial
from pathlib import Path

from sqlalchemy import URL

PORT = 5432  # Part of the socket's name only: nothing listens on TCP.
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_USERS_LOCK_NAME = "users.lock"
#: What the address of a Unix socket can hold on Linux; macOS has 104, both with a final NUL.
_SOCKET_PATH_BYTES = 103
#: Everything else is special to libpq or to SQLAlchemy.
_PLAIN_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /._+-"
)


class Home:
    """
    The directory of one embedded server; all its files are inside, the socket included.

    The server makes its socket in its data directory, by a relative path: every program that
    uses the home finds it there, whatever its length and whatever /tmp the program sees.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.unfinished_data = directory / "init.tmp"
        self.log = directory / "server.log"
        self.settings = directory / "app.conf"
        self.host_rules = directory / "hba.conf"
        self.user_names = directory / "ident.conf"
        #: Held exclusively by a process that starts or stops the server.
        self.startup_lock = directory / "startup.lock"
        #: Shared by every process that uses the server, for as long as it does.
        self.users_lock = directory / _USERS_LOCK_NAME
        #: Held by the PostgreSQL processes themselves, hence free only when all are gone.
        self.server_lock = directory / "server.lock"
        self.socket = self.data / _SOCKET_NAME

    def has_socket(self) -> bool:
        """Return whether there is a socket, of a living server or of one that was killed."""
        return self.socket.is_socket()

    def discard_remains(self) -> None:
        """Remove what a killed server left; PostgreSQL would believe it if the pid is taken."""
        for name in ("postmaster.pid", _SOCKET_NAME, f"{_SOCKET_NAME}.lock"):
            (self.data / name).unlink(missing_ok=True)
        # Where older versions had the socket, or a link to it.
        old = self.directory / "socket"
        if old.is_symlink():
            old.unlink()
        shutil.rmtree(old, ignore_errors=True)

    def read_postmaster_pid(self) -> int | None:
        """Return the pid in `postmaster.pid`, which may belong to another process by now."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None


class SocketAddress:
    """
    A path for libpq to the directory of a socket, short and plain enough for a Unix socket.

    It is the directory itself where that fits, else an alias, valid until `close` for this
    process and those that it starts.
    """

    def __init__(self, directory: Path) -> None:
        self.path, self._stack = str(directory), contextlib.ExitStack()
        if not _fits_a_socket(directory):
            self.path = self._make_alias(directory)

    def close(self) -> None:
        """Give the alias up, if there is one."""
        self._stack.close()

    def _make_alias(self, directory: Path) -> str:
        if Path("/proc/self/fd").is_dir():
            descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY)
            self._stack.callback(os.close, descriptor)
            return f"/proc/{os.getpid()}/fd/{descriptor}"
        parent = tempfile.mkdtemp(prefix="yts-")
        self._stack.callback(partial(shutil.rmtree, parent, ignore_errors=True))
        link = Path(parent) / "data"
        link.symlink_to(directory)
        return str(link)


def is_embedded(url: URL) -> bool:
    """Return whether *url* is that of an embedded server, whoever started it."""
    directory = url.query.get("host")
    if not isinstance(directory, str) or not directory.startswith("/"):
        return False
    with contextlib.suppress(OSError):
        # The data directory may be an alias: `..` is looked up by the kernel.
        lock = os.stat(os.path.join(directory, "..", _USERS_LOCK_NAME))  # noqa: PTH116, PTH118
        return stat.S_ISREG(lock.st_mode) and Path(directory, _SOCKET_NAME).is_socket()
    return False


def _fits_a_socket(directory: Path) -> bool:
    path = str(directory / _SOCKET_NAME)
    return len(path) <= _SOCKET_PATH_BYTES and _PLAIN_CHARACTERS.issuperset(path)
