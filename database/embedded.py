"""The embedded PostgreSQL: one server for each home, shared by all who have it open."""

import atexit
import os
from pathlib import Path
from types import TracebackType
from typing import Self

import platformdirs
import psycopg2
from sqlalchemy import URL

from database.embedded_home import HAS_LOCKS, PORT, Home, hold_lock, share_lock, try_lock
from database.embedded_launch import SUPERUSER
from database.embedded_process import ServerProcess
from database.errors import DatabaseNotReady
from database.waits import waiting_for

DATABASE_NAME = "yts"


def default_home() -> Path:
    """Return `YTS_HOME`, or the place this platform has for the data of a user's programs."""
    chosen = os.environ.get("YTS_HOME")
    return Path(chosen) if chosen else platformdirs.user_data_path("yts-mirror", appauthor=False)


def open_embedded(home: Path | None = None) -> "EmbeddedServer":
    """
    Return a share in the server of *home*, which is made and started as needed.

    The database is there, but may be empty. Close the share, or leave the program, to let the
    server stop.

    Raises:
        DatabaseNotReady: the server cannot run here, or the home belongs to another user.
    """
    if not HAS_LOCKS:
        raise DatabaseNotReady(
            "The embedded PostgreSQL does not run on this platform. "
            "Set DATABASE_URL to a PostgreSQL server."
        )
    directory = (home or default_home()).absolute()
    try:
        return EmbeddedServer(directory)
    except (OSError, psycopg2.Error) as error:
        raise DatabaseNotReady(
            f"The embedded PostgreSQL in {directory} cannot be used: {str(error).strip()}. "
            "Set YTS_HOME to another directory, or DATABASE_URL to a PostgreSQL server."
        ) from error


class EmbeddedServer:
    """
    One share in the server of a home; it starts with the first share and stops with the last.

    A program that is killed loses its share, by the kernel. A server left without users in this
    way is stopped by its guard.
    """

    def __init__(self, directory: Path) -> None:
        self.home = _prepare_directory(directory)
        self._files = Home(self.home)
        self._process = ServerProcess(self._files)
        self._share: int | None = None
        with (
            waiting_for(f"the embedded PostgreSQL in {self.home} to start"),
            hold_lock(self._files.startup_lock),
        ):
            self.url = self._join()

    def explain_absence(self) -> str | None:
        """Say why the server has ended; None if it has not."""
        return self._process.explain_absence()

    def close(self) -> None:
        """Give the share back; the last one stops the server, whatever it is doing."""
        if self._share is None:
            return
        try:
            with hold_lock(self._files.startup_lock):
                self._leave()
        except FileNotFoundError:
            # Somebody deleted the home; PostgreSQL ends by itself when it notices.
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
        # There is no wait: nobody asks for the whole lock outside of start-up and leaving.
        self._share = share_lock(self._files.users_lock)
        _open_servers.add(self)
        try:
            self._process.start_unless_running()
            self._process.create_database_unless_present(DATABASE_NAME)
            return _make_url(self._process.find_socket_directory())
        except DatabaseNotReady:
            self._drop_share()
            raise
        except BaseException:
            self._leave()
            raise

    def _leave(self) -> None:
        """Drop the share, and stop the server if nobody else has one."""
        try:
            # From sharing to holding alone is two steps, but nobody can come in between.
            if self._share is not None and try_lock(self._share):
                self._process.stop()
        finally:
            self._drop_share()

    def _drop_share(self) -> None:
        _open_servers.discard(self)
        if self._share is not None:
            os.close(self._share)
            self._share = None


def _make_url(socket_directory: Path) -> URL:
    return URL.create(
        "postgresql+psycopg2",
        username=SUPERUSER,
        database=DATABASE_NAME,
        query={"host": str(socket_directory), "port": str(PORT)},
    )


def _prepare_directory(directory: Path) -> Path:
    """
    Make *directory* if it is absent, check that it is ours, and return its real path.
    """
    if not str(directory).isprintable():
        raise DatabaseNotReady(
            f"The path {directory!r} has characters that PostgreSQL cannot handle. "
            "Set YTS_HOME to another directory."
        )
    # For root PostgreSQL runs as another user, who has to pass.
    directory.mkdir(mode=0o711 if os.geteuid() == 0 else 0o700, parents=True, exist_ok=True)
    directory = directory.resolve()
    startup_lock = Home(directory).startup_lock
    if startup_lock.exists() and startup_lock.stat().st_uid != os.geteuid():
        raise DatabaseNotReady(
            f"{directory} belongs to another user (uid {startup_lock.stat().st_uid}). "
            "Run as that user, or set YTS_HOME to a directory of your own."
        )
    return directory


#: Those that have a share.
_open_servers: set[EmbeddedServer] = set()


@atexit.register
def _close_all() -> None:
    for server in list(_open_servers):
        server.close()


def _forget_all() -> None:
    """Leave a forked child without shares: it keeps none alive, and stops no server."""
    for server in list(_open_servers):
        server._drop_share()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all)
