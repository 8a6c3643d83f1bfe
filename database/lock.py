"""One fetch at a time: an advisory lock that PostgreSQL frees when its holder dies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic, sleep

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

_KEY = {"key": 7_190_002}
#: While waiting for another fetch to end.
SECONDS_BETWEEN_TRIES = 0.5

_HOLDS_IT = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid = 0 AND objid = :key AND objsubid = 1"
)


class FetchLockHeld(Exception):
    """Another fetch is running on this database; the argument says since when."""


class FetchLock:
    """The lock of one database, held by one connection."""

    def __init__(self, engine: Engine) -> None:
        """Hold nothing yet."""
        self._engine = engine
        self._connection: Connection | None = None

    def take(self) -> None:
        """
        Take the lock, on a connection of its own.

        Raises:
            FetchLockHeld: somebody else holds it.
        """
        connection = self._engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), _KEY):
            with connection:
                raise FetchLockHeld(_describe_holder(connection))
        self._connection = connection

    def keep(self) -> None:
        """
        Make sure that the lock is still held; take it anew if its connection was lost.

        Raises:
            FetchLockHeld: it was lost, and somebody else holds it now.
        """
        if self._connection is None:
            return
        try:
            self._connection.execute(text("SELECT 1"))
        except DBAPIError:
            self._forget()
            self.take()

    def release(self) -> None:
        """Give the lock back; a lost connection has done so already."""
        if self._connection is None:
            return
        try:
            self._connection.execute(text("SELECT pg_advisory_unlock(:key)"), _KEY)
            self._connection.close()
            self._connection = None
        except DBAPIError:
            self._forget()

    def _forget(self) -> None:
        """Let go of a connection that is of no use any more."""
        if self._connection is not None:
            self._connection.invalidate()
            self._connection.close()
            self._connection = None


@contextmanager
def hold_fetch_lock(
    engine: Engine, wait_seconds: float = 0.0, pause: Callable[[float], object] = sleep
) -> Iterator[FetchLock]:
    """
    Hold the lock of this database for as long as the block runs.

    Where another holds it, try again for *wait_seconds*; *pause* sleeps between
    two tries, and returns something true to end the waiting.

    Raises:
        FetchLockHeld: somebody else holds it.
    """
    lock = FetchLock(engine)
    deadline = monotonic() + wait_seconds
    while True:
        try:
            lock.take()
            break
        except FetchLockHeld:
            if monotonic() >= deadline or pause(min(SECONDS_BETWEEN_TRIES, wait_seconds)):
                raise
    try:
        yield lock
    finally:
        lock.release()


def _describe_holder(connection: Connection) -> str:
    words = (
        "SELECT 'process ' || pid || ' of ' || coalesce(host(client_addr), 'this machine') "
        "|| ' since ' || to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS') || ' UTC' "
        "FROM pg_stat_activity JOIN (SELECT pid AS holder %s) AS held ON pid = holder"
    )
    holder: str | None = connection.scalar(text(words % _HOLDS_IT), _KEY)
    return holder or "a run that is just ending"


def is_fetch_running(session: Session) -> bool:
    """Tell whether a fetch holds the lock of this database, without taking it."""
    held = text(f"SELECT EXISTS (SELECT {_HOLDS_IT})")
    return bool(session.scalar(held, _KEY))
