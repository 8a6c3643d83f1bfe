"""`Home`: the files of an embedded server; `SocketAddress`: the path that leads to its socket."""

import contextlib
import os
import shutil
import stat
import tempfile
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from database.embedded.account import Account

if TYPE_CHECKING:
    from sqlalchemy import URL

PORT = 5432  # Only a part of the socket's name: the server does not listen on TCP.
_SOCKET_NAME = f".s.PGSQL.{PORT}"
_USERS_LOCK_NAME = "users.lock"
#: Bytes in the address of a Unix socket on Linux; 104 on macOS; both include a final NUL.
_SOCKET_PATH_BYTES = 103
#: Other characters have a special meaning for libpq or SQLAlchemy.
_PLAIN_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /._+-"
)


class Home:
    """
    The directory of one embedded server; all its files are inside, the socket included.

    The server creates its socket by a relative path. So every program that uses the home finds it
    there, even if the path of the home is long or the program has a /tmp of its own.
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
        #: Shared by every process while it uses the server.
        self.users_lock = directory / _USERS_LOCK_NAME
        #: Held by the PostgreSQL processes themselves, so it is free only when all have ended.
        self.server_lock = directory / "server.lock"
        self.socket_directory = directory / "socket"
        self.socket = self.socket_directory / _SOCKET_NAME

    def has_socket(self) -> bool:
        """Return whether there is a socket, of a running server or of one that was killed."""
        # A link, which older versions made, could lead to a directory of another user.
        return not self.socket_directory.is_symlink() and self.socket.is_socket()

    def make_socket_directory(self, account: Account) -> str:
        """
        Create the empty directory of the socket for *account*, and return it as seen from the data.

        An existing directory is emptied and not replaced, because running programs may have it
        open.
        """
        if self.socket_directory.is_symlink():
            self.socket_directory.unlink()
        self.socket_directory.mkdir(mode=0o700, exist_ok=True)
        account.give(self.socket_directory)
        for left in self.socket_directory.iterdir():
            left.unlink()
        return os.path.relpath(self.socket_directory, self.data.resolve())

    def discard_socket_directory(self) -> None:
        """Remove the directory of a socket on which no server listens."""
        if self.socket_directory.is_symlink():
            self.socket_directory.unlink()
        else:
            shutil.rmtree(self.socket_directory, ignore_errors=True)

    def read_postmaster_pid(self) -> int | None:
        """Return the pid in `postmaster.pid`, which another process may have got meanwhile."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None


class SocketAddress:
    """
    A path for libpq to the directory of a socket, short and plain enough for a Unix socket.

    It is the directory itself if that fits, else an alias, which is valid until `close` for this
    process and its children.
    """

    def __init__(self, directory: Path) -> None:
        self.path, self._stack = str(directory), contextlib.ExitStack()
        if not _fits_a_socket(directory):
            self.path = self._make_alias(directory)

    def close(self) -> None:
        """Remove the alias, if there is one."""
        self._stack.close()

    def _make_alias(self, directory: Path) -> str:
        if Path("/proc/self/fd").is_dir():
            descriptor = os.open(directory, os.O_PATH | os.O_DIRECTORY | os.O_NOFOLLOW)
            self._stack.callback(os.close, descriptor)
            return f"/proc/{os.getpid()}/fd/{descriptor}"
        parent = tempfile.mkdtemp(prefix="yts-")
        self._stack.callback(partial(shutil.rmtree, parent, ignore_errors=True))
        link = Path(parent) / "socket"
        link.symlink_to(directory)
        return str(link)


def is_embedded(url: "URL") -> bool:
    """Return whether *url* belongs to an embedded server, started by any program."""
    directory = url.query.get("host")
    if not isinstance(directory, str) or not directory.startswith("/"):
        return False
    with contextlib.suppress(OSError):
        # The directory may be an alias: `..` is looked up by the kernel.
        lock = os.stat(os.path.join(directory, "..", _USERS_LOCK_NAME))  # noqa: PTH116, PTH118
        return stat.S_ISREG(lock.st_mode) and Path(directory, _SOCKET_NAME).is_socket()
    return False


def _fits_a_socket(directory: Path) -> bool:
    path = str(directory / _SOCKET_NAME)
    return len(path) <= _SOCKET_PATH_BYTES and _PLAIN_CHARACTERS.issuperset(path)
