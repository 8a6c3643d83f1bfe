"""
`open_embedded`: the embedded PostgreSQL, one server for each home, shared by its users.

`start_early`: start it before the imports of a command, which take longer than the start.
"""

import contextlib
import os
import sys
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

import platformdirs
import psycopg2

from database.connection.waits import SECONDS_UNTIL_SAID, waiting_for
from database.embedded.account import check_owner, name_user
from database.embedded.file_locks import HAS_LOCKS, hold_lock, open_lock, try_lock
from database.embedded.guard import HAS_GUARD
from database.embedded.home import PORT, Home
from database.embedded.launcher import SUPERUSER, explain_file_system
from database.embedded.share import Share
from database.errors import DatabaseNotReady, NoDataYet

if TYPE_CHECKING:
    from sqlalchemy import URL

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


def start_early() -> None:
    """
    Start the server of the default home, if it has data, without waiting until it answers.

    `open_embedded` waits, and takes over the share. If the server cannot be started early, nothing
    is reported: `open_embedded` does that. No thread is started.
    """
    # Without a guard, a signal during the imports could leave the server running.
    if not (HAS_LOCKS and HAS_GUARD):
        return
    # RuntimeError: a loop of symbolic links, in Python before 3.13.
    with contextlib.suppress(OSError, RuntimeError, DatabaseNotReady):
        home = Home(_prepare_directory(default_home().absolute(), create=False))
        with open_lock(home.startup_lock) as startup_lock:
            if not home.data.exists() or not try_lock(startup_lock):
                return
            share = Share(home)
            share.take()
            try:
                share.process.launch()
            except BaseException:
                share.leave()
                raise
            _early[home.directory] = share


class EmbeddedServer:
    """A share in the server of a home; it starts with the first share and stops with the last."""

    def __init__(self, directory: Path, *, create: bool = True) -> None:
        self.home = _prepare_directory(directory, create=create)
        self._files = Home(self.home)
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
            self._share = self._open_share()
            self._address = self._join()

    @property
    def url(self) -> "URL":
        """Return the URL of the database."""
        from sqlalchemy import URL  # noqa: PLC0415 -- `start_early` must not import it

        return URL.create(
            "postgresql+psycopg2",
            username=SUPERUSER,
            database=DATABASE_NAME,
            query={"host": self._address, "port": str(PORT)},
        )

    def explain_absence(self) -> str | None:
        """Return why the server has ended; None if it has not."""
        return self._share.process.explain_absence()

    def start_if_ended(self) -> bool:
        """
        Start the server again, at the same URL, if it has ended; return whether it had.

        Raises:
            DatabaseNotReady: it cannot be started.
            OSError: the home can no longer be used.
        """
        if not self._share.is_open or self._share.process.explain_absence() is None:
            return False
        with hold_lock(self._files.startup_lock):
            return self._share.process.start_again(self._share.is_alone)

    def close(self) -> None:
        """Close the share; closing the last one stops the server, also during a query."""
        self._share.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _open_share(self) -> Share:
        early = _early.pop(self.home, None)
        if early is not None and early.is_open:  # It is not in a forked child.
            return early
        share = Share(self._files)
        share.take()
        return share

    def _join(self) -> str:
        """Return the address of the server when it answers and has the database."""
        process = self._share.process
        try:
            process.start_unless_running(self._share.is_alone)
            process.create_database_unless_present(DATABASE_NAME)
            return process.find_address()
        except DatabaseNotReady:
            self._share.drop()
            raise
        except BaseException:
            self._share.leave()
            raise


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


#: Shares of homes whose servers were started early.
_early: dict[Path, Share] = {}
