"""What lies where in the home of an embedded server, and the locks that guard it."""

import contextlib
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from database.embedded_account import Account

try:
    import fcntl
except ImportError:  # Windows, which `open_embedded` refuses.
    fcntl = None  # type: ignore[assignment]

HAS_LOCKS = fcntl is not None
PORT = 5432  # Part of the socket's name only: nothing listens on TCP.
_SOCKET_NAME = f".s.PGSQL.{PORT}"
#: What the address of a Unix socket can hold on Linux; macOS has 104, both with a final NUL.
_SOCKET_PATH_BYTES = 103
#: Everything else is special to libpq, to SQLAlchemy or in PostgreSQL's settings.
_PLAIN_CHARACTERS = frozenset(
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789 /._+-"
)


class Home:
    """
    The directory of one embedded server; everything of it lies inside.

    Only the socket may be elsewhere: `socket` is then a symbolic link to a private directory.
    """

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.data = directory / "data"
        self.unfinished_data = directory / "init.tmp"
        self.log = directory / "server.log"
        self.settings = directory / "app.conf"
        self.host_rules = directory / "hba.conf"
        self.user_names = directory / "ident.conf"
        #: Held exclusively by whoever starts or stops the server.
        self.startup_lock = directory / "startup.lock"
        #: Shared by everybody who uses the server, for as long as they do.
        self.users_lock = directory / "users.lock"
        #: Held by the PostgreSQL processes themselves, hence free only when all are gone.
        self.server_lock = directory / "server.lock"
        self._socket = directory / "socket"

    def socket_base(self) -> Path:
        """Return the directory that the socket's directory is, or will be, made in."""
        if _fits_a_socket(self._socket):
            return self.directory
        usual = Path(tempfile.gettempdir()).resolve()
        return usual if _fits_a_socket(usual / "yts-12345678") else Path("/tmp")  # noqa: S108

    def make_socket_directory(self, account: Account) -> Path:
        """
        Return a new, empty directory for the socket that only *account* and we can enter.

        After a crash it has the same path again, as the users that are left know no other.
        """
        previous = self._socket.readlink() if self._socket.is_symlink() else None
        self.discard_socket_directory()
        base = self.socket_base()
        if base == self.directory:
            directory = self._socket
            directory.mkdir(mode=0o700)
        else:
            directory = _make_private_directory(base, previous)
            self._socket.symlink_to(directory)
        # Who may enter anything need not own it, and then others of that user stay out.
        if not account.may_enter_anything:
            account.give(directory)
        return directory

    def discard_socket_directory(self) -> None:
        """Remove the directory of a socket that no living server listens on."""
        if not self._socket.is_symlink():
            shutil.rmtree(self._socket, ignore_errors=True)
            return
        directory = self._socket.readlink()
        if self._is_ours_alone(directory) and self._is_named_in(directory):
            shutil.rmtree(directory, ignore_errors=True)
        self._socket.unlink()

    def find_socket_directory(self) -> Path | None:
        """
        Return the directory that holds the server's socket, or None if there is none to trust.

        The name of a temporary directory may have come into other hands after a clean-up.
        """
        directory = self._socket.readlink() if self._socket.is_symlink() else self._socket
        has_socket = self._is_ours_alone(directory) and (directory / _SOCKET_NAME).exists()
        return directory if has_socket else None

    def read_postmaster_pid(self) -> int | None:
        """Return what `postmaster.pid` says, which may be long dead or somebody else by now."""
        try:
            return int((self.data / "postmaster.pid").read_text().split("\n")[0])
        except (OSError, ValueError):
            return None

    def _is_ours_alone(self, directory: Path) -> bool:
        try:
            status = directory.lstat()
            owners = {os.geteuid(), self.data.stat().st_uid}
        except OSError:
            return False
        is_private = not status.st_mode & (stat.S_IRWXG | stat.S_IRWXO)
        return stat.S_ISDIR(status.st_mode) and is_private and status.st_uid in owners

    def _is_named_in(self, directory: Path) -> bool:
        """
        True unless the socket's lock file names another data directory.

        A copied home points to the socket of the original, whose server may be alive.
        """
        try:
            lock = (directory / f"{_SOCKET_NAME}.lock").read_text()
        except FileNotFoundError:
            return True
        return str(self.data) in lock.split("\n")


@contextlib.contextmanager
def open_lock(path: Path) -> Iterator[int]:
    """
    Open the lock file *path*, without locking it yet.

    At the end the lock is free, unless a process that inherited the descriptor lives on.
    """
    descriptor = open_lock_file(path)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def hold_lock(path: Path) -> Iterator[None]:
    """Hold the lock file *path* exclusively, however long it takes to get it."""
    with open_lock(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing is not enough if another thread has forked meanwhile.
            fcntl.flock(descriptor, fcntl.LOCK_UN)


def share_lock(path: Path) -> int:
    """Hold *path* together with others until the returned descriptor is closed."""
    descriptor = open_lock_file(path)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    return descriptor


def open_lock_file(path: Path) -> int:
    """Return a descriptor that no program we start inherits, unless told to."""
    return os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)


def try_lock(descriptor: int, timeout_seconds: float = 0) -> bool:
    """Lock exclusively and return True, or False if others hold on to it for that long."""
    deadline = time.monotonic() + timeout_seconds
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline:
                return False
            time.sleep(0.01)
        else:
            return True


def _fits_a_socket(directory: Path) -> bool:
    path = str(directory / f"{_SOCKET_NAME}.lock")
    return len(path) <= _SOCKET_PATH_BYTES and _PLAIN_CHARACTERS.issuperset(path)


def _make_private_directory(base: Path, preferred: Path | None) -> Path:
    """Make *preferred* if its name is still free, else a new name in *base*."""
    if preferred is not None:
        with contextlib.suppress(OSError):
            preferred.mkdir(mode=0o700)
            return preferred
    return Path(tempfile.mkdtemp(prefix="yts-", dir=base))
