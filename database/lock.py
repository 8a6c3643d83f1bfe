"""One fetch at a time: an advisory lock that PostgreSQL frees when its holder dies."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.transient import repeat_transient

_FETCH_LOCK = 7_190_002

_HOLDS_IT = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid = 0 AND objid = :key AND objsubid = 1"
)


#: Nothing changes if it is ours already; else a second taking would ask for a second release.
_TAKE = (
    f"SELECT CASE WHEN EXISTS (SELECT {_HOLDS_IT} AND pid = pg_backend_pid()) THEN true "
    "ELSE pg_try_advisory_lock(:key) END"
)


class FetchLockHeld(Exception):
    """Another fetch is running on this database; the argument says since when."""


@contextmanager
def hold_fetch_lock(engine: Engine) -> Iterator[Callable[[], None]]:
    """
    Hold the lock of this database for as long as the block runs.

    The lock goes with its connection; call what is yielded now and then to take it again.

    Raises:
        FetchLockHeld: somebody else holds it, or has taken it meanwhile.
        DatabaseNotReady: the database cannot be used.
    """
    with repeat_transient(engine.connect) as connection:
        repeat_transient(lambda: _take(connection))
        try:
            yield lambda: repeat_transient(lambda: _take(connection), patience_seconds=0)
        finally:
            # A lost connection has freed the lock, and the reason for it is told elsewhere.
            with suppress(DBAPIError), connection.begin():
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _FETCH_LOCK})


def _take(connection: Connection) -> None:
    # The lock is the session's and outlives the transaction.
    with connection.begin():
        if not connection.scalar(text(_TAKE), {"key": _FETCH_LOCK}):
            raise FetchLockHeld(_describe_holder(connection))


def _describe_holder(connection: Connection) -> str:
    words = (
        "SELECT 'process ' || pid || ' of ' || coalesce(host(client_addr), 'this machine') "
        "|| ' since ' || to_char(backend_start, 'YYYY-MM-DD HH24:MI:SS') || ' UTC' "
        "FROM pg_stat_activity JOIN (SELECT pid AS holder %s) AS held ON pid = holder"
    )
    holder: str | None = connection.scalar(text(words % _HOLDS_IT), {"key": _FETCH_LOCK})
    return holder or "a run that is just ending"


def is_fetch_running(session: Session) -> bool:
    """Tell whether a fetch holds the lock of this database, without taking it."""
    held = text(f"SELECT EXISTS (SELECT {_HOLDS_IT})")
    return bool(session.scalar(held, {"key": _FETCH_LOCK}))
