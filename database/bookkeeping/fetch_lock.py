"""One fetch at a time: an advisory lock that PostgreSQL frees when its holder dies."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.connection.retry import repeat_transient
from database.connection.waits import waiting_for

_KEY = {"key": 7_190_002}
#: While waiting for another fetch to end.
SECONDS_BETWEEN_TRIES = 0.5

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
def hold_fetch_lock(
    engine: Engine, wait_seconds: float = 0.0, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Callable[[], None]]:
    """
    Hold the lock of this database for as long as the block runs.

    Where another holds it, try again for *wait_seconds*; *sleep* waits between two
    tries, and may raise to give up. The lock goes with its connection; call what is
    yielded now and then to take it again.

    Raises:
        FetchLockHeld: somebody else holds it, or has taken it meanwhile.
        DatabaseNotReady: the database cannot be used.
    """
    with repeat_transient(engine.connect, sleep=sleep) as connection:
        _wait_for_lock(connection, time.monotonic() + wait_seconds, sleep)
        try:
            yield lambda: repeat_transient(lambda: _take(connection), patience_seconds=0)
        finally:
            # A lost connection has freed the lock, and the reason for it is told elsewhere.
            with suppress(DBAPIError), connection.begin():
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), _KEY)


def _wait_for_lock(connection: Connection, deadline: float, sleep: Callable[[float], None]) -> None:
    with ExitStack() as waits:
        is_said = False
        while True:
            try:
                repeat_transient(lambda: _take(connection), sleep=sleep)
            except FetchLockHeld as error:
                if time.monotonic() >= deadline:
                    raise
                if not is_said:
                    waits.enter_context(waiting_for(f"another fetch ({error})"))
                    is_said = True
                sleep(SECONDS_BETWEEN_TRIES)
            else:
                return


def _take(connection: Connection) -> None:
    # The lock is the session's and outlives the transaction.
    with connection.begin():
        if not connection.scalar(text(_TAKE), _KEY):
            raise FetchLockHeld(_describe_holder(connection))


def _describe_holder(connection: Connection) -> str:
    # A connection may have waited for the lock: since when it holds it says the run that it has
    # opened then. A run older than the connection is one that was killed before.
    words = (
        "SELECT 'process ' || pid || ' of ' || coalesce(host(client_addr), 'this machine') || "
        "' since ' || to_char(greatest(backend_start, began), 'YYYY-MM-DD HH24:MI:SS') || ' UTC' "
        "FROM pg_stat_activity JOIN (SELECT pid AS holder %s) AS held ON pid = holder, "
        "(SELECT max(started_at) AS began FROM fetch_runs WHERE finished_at IS NULL) AS run"
    )
    holder: str | None = connection.scalar(text(words % _HOLDS_IT), _KEY)
    return holder or "a run that is just ending"


def is_fetch_running(session: Session) -> bool:
    """Tell whether a fetch holds the lock of this database, without taking it."""
    held = text(f"SELECT EXISTS (SELECT {_HOLDS_IT})")
    return bool(session.scalar(held, _KEY))
