"""`open_embedded`: the embedded PostgreSQL, one server for each home, shared by its users."""

import atexit
import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs
import psycopg2
from sqlalchemy import URL

from database.connection.libpq_environment import hide_libpq_environment, restore_libpq_environment
from database.connection.waits import SECONDS_UNTIL_SAID, waiting_for
from database.embedded.account import check_owner, name_user
from database.embedded.file_locks import HAS_LOCKS, hold_lock, share_again, share_lock, try_lock
from database.embedded.home import PORT, Home
from database.embedded.launcher import SUPERUSER, explain_file_system
from database.embedded.process import ServerProcess
from database.errors import DatabaseNotReady, NoDataYet

DATABASE_NAME = "yts"
#: A shorter start is not reported.
SECONDS_OF_SILENCE = 1.0


def default_home() -> Path:
    """
    Return `YTS_HOME`, or a folder in the user data directory of this platform.

    Raises:
        DatabaseNotReady: `YTS_HOME` begins with the home of an unknown user.
    """
    chosen = os.environ.get("YTS_HOME")
    if not chosen:
        return platformdirs.user_data_path("yts-mirror", appauthor=False)
    try:
        return Path(chosen).expanduser()
    except RuntimeError:
        raise DatabaseNotReady(
            f"YTS_HOME is {chosen}, but there is no such user. Write the directory in full."
        ) from None


def open_embedded(home: Path | None = None, *, create: bool = True) -> "EmbeddedServer":
    """
    Return a share in the server of *home*, which is created and started as needed.

    The database exists, but may be empty. Closing the share, or ending the program, lets the server
    stop. Until then the variables of libpq (PG*) are not in the environment.

    *create* is False for programs that only read: they create no home and no data.

    Raises:
        DatabaseNotReady: the server cannot run here, or the home belongs to another user.
        NoDataYet: there is no data yet, and *create* is False.
    """
    if not HAS_LOCKS:
        raise DatabaseNotReady(
            "The embedded PostgreSQL does not run on this platform. "
            "Set DATABASE_URL to a PostgreSQL server."
        )
    directory = (home or default_home()).absolute()
    try:
        return EmbeddedServer(directory, create=create)
    except (OSError, psycopg2.Error) as error:
        reason = str(error).strip()
        if isinstance(error, PermissionError):
            reason += _explain_permission(directory)
        elif why := explain_file_system(directory):
            reason += f" ({why})"
        raise DatabaseNotReady(
            f"The embedded PostgreSQL in {directory} cannot be used: {reason}. "
            "Set YTS_HOME to another directory, or DATABASE_URL to a PostgreSQL server."
        ) from error


class EmbeddedServer:
    """
    One share in the server of a home; it starts with the first share and stops with the last.

    The kernel removes the share of a program that is killed. If that was the last share, the guard
    stops the server.
    """

    def __init__(self, directory: Path, *, create: bool = True) -> None:
        self.home = _prepare_directory(directory, create=create)
        self._files = Home(self.home)
        self._process = ServerProcess(self._files)
        self._share: int | None = None
        with (
            waiting_for(
                f"the embedded PostgreSQL in {self.home} to start; the first time this takes "
                "about ten seconds",
                # Ordinary starts are not reported in logs and mails.
                seconds=SECONDS_OF_SILENCE if sys.stderr.isatty() else SECONDS_UNTIL_SAID,
            ),
            hold_lock(self._files.startup_lock),
        ):
            # Another program may have been creating the data while this one waited.
            if not create and not self._files.data.exists():
                raise _no_data(self.home)
            self.url = self._join()

    def explain_absence(self) -> str | None:
        """Return why the server has ended; None if it has not."""
        return self._process.explain_absence()

    def start_if_ended(self) -> bool:
        """
        Start the server again, at the same URL, if it has ended; return whether it had.

        Raises:
            DatabaseNotReady: it cannot be started.
            OSError: the home can no longer be used.
        """
        if self._share is None or self._process.explain_absence() is None:
            return False
        with hold_lock(self._files.startup_lock):
            return self._process.start_again(self._is_alone)

    def close(self) -> None:
        """Close the share; closing the last one stops the server, also during a query."""
        if self._share is None:
            return
        try:
            with hold_lock(self._files.startup_lock):
                self._leave()
        except FileNotFoundError:
            # The home was deleted; PostgreSQL ends by itself when it notices.
            self._drop_share()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _join(self) -> URL:
        # It does not wait: the exclusive lock is held only during start-up and closing.
        self._share = share_lock(self._files.users_lock)
        _open_servers.add(self)
        hide_libpq_environment()
        try:
            self._process.start_unless_running(self._is_alone)
            self._process.create_database_unless_present(DATABASE_NAME)
            return _make_url(self._process.find_address())
        except DatabaseNotReady:
            self._drop_share()
            raise
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Release the share, and stop the server if no other process has one."""
        try:
            # Changing the shared lock to an exclusive one takes two steps, but no process can lock
            # in between.
            if self._share is not None and try_lock(self._share):
                self._process.stop()
        finally:
            self._drop_share()

    def _is_alone(self) -> bool:
        """Return whether no other program uses the home; the startup lock prevents a change."""
        assert self._share is not None  # noqa: S101 -- it is called while joining
        is_alone = try_lock(self._share)
        share_again(self._share)
        return is_alone

    def _drop_share(self) -> None:
        _open_servers.discard(self)
        self._process.forget_address()
        if self._share is not None:
            os.close(self._share)
            self._share = None
            restore_libpq_environment()


def _make_url(address: str) -> URL:
    return URL.create(
        "postgresql+psycopg2",
        username=SUPERUSER,
        database=DATABASE_NAME,
        query={"host": address, "port": str(PORT)},
    )


def _prepare_directory(directory: Path, *, create: bool) -> Path:
    """
    Create *directory* if it is absent, check its owner, and return its real path.
    """
    if not str(directory).isprintable():
        raise DatabaseNotReady(
            f"The path {directory!r} has characters that PostgreSQL cannot handle. "
            "Set YTS_HOME to another directory."
        )
    directory = directory.resolve()
    if create:
        # If root starts it, PostgreSQL runs as another user, which must be able to enter.
        directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    elif not directory.exists():
        raise _no_data(directory)
    files = Home(directory)
    check_owner(directory, files.data)
    # A program that is creating the data holds the lock already.
    if not create and not files.data.exists() and not files.startup_lock.exists():
        raise _no_data(directory)
    if files.startup_lock.exists() and files.startup_lock.lstat().st_uid != os.geteuid():
        owner = name_user(files.startup_lock.lstat().st_uid)
        raise DatabaseNotReady(
            f"{directory} was used by another user, {owner}. "
            "Run as that user, or set YTS_HOME to a directory of your own."
        )
    return directory


def _no_data(directory: Path) -> NoDataYet:
    return NoDataYet(f"There is no database in {directory} yet. Fill it: python fetch_yts_data.py")


def _explain_permission(directory: Path) -> str:
    """Return the owner of the nearest directory that this user can see, as text."""
    for path in (directory, *directory.parents):
        with contextlib.suppress(OSError):
            return f" ({path} belongs to {name_user(path.stat().st_uid)})"
    return ""


#: The open shares of this process.
_open_servers: set[EmbeddedServer] = set()


@atexit.register
def _close_all() -> None:
    for server in list(_open_servers):
        server.close()


def _forget_all() -> None:
    """Remove all shares in a forked child, so that it neither keeps nor stops a server."""
    for server in list(_open_servers):
        server._drop_share()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
