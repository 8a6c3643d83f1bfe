"""`hold_fetch_lock`: at most one fetch at a time on a database."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from database.connection.advisory_locks import (
    AdvisoryLock,
    read_lock_holder,
    releasing,
    take_lock,
)
from database.connection.retry import repeat_transient
from database.connection.waits import waiting_for
from database.errors import FetchLockHeld

#: Pause between two attempts to take the lock.
SECONDS_BETWEEN_TRIES = 0.5

#: Describes the holder: since when is the later of the start of its connection and of the open run.
#: The connection may have waited for the lock, and an open run that is older than the connection
#: was killed.
_DESCRIBE_HOLDER = text(
    "SELECT 'process ' || pid || ' of ' || coalesce(host(client_addr), 'this machine') || "
    "' since ' || to_char(greatest(backend_start, began), 'YYYY-MM-DD HH24:MI:SS') || ' UTC' "
    "FROM pg_stat_activity, "
    "(SELECT max(started_at) AS began FROM fetch_runs WHERE finished_at IS NULL) AS run "
    "WHERE pid = :pid"
)


@contextmanager
def hold_fetch_lock(
    engine: Engine, wait_seconds: float = 0.0, sleep: Callable[[float], None] = time.sleep
) -> Iterator[Callable[[], None]]:
    """
    Hold the fetch lock of this database until the block ends.

    If another session holds it, try again for *wait_seconds*; *sleep* waits between two
    attempts, and may raise to give up. The lock is lost with its connection: call the
    function that is yielded from time to time to take it again.

    Raises:
        FetchLockHeld: another session holds the lock, or has taken it meanwhile.
        DatabaseNotReady: the database cannot be used.
    """
    with repeat_transient(engine.connect, sleep=sleep) as connection:
        _wait_for_lock(connection, time.monotonic() + wait_seconds, sleep)
        with releasing(connection, AdvisoryLock.FETCH):
            yield lambda: repeat_transient(lambda: _take(connection), patience_seconds=0)


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
    # The lock belongs to the session and is kept after the transaction.
    with connection.begin():
        if not take_lock(connection, AdvisoryLock.FETCH):
            pid = read_lock_holder(connection, AdvisoryLock.FETCH)
            holder = connection.scalar(_DESCRIBE_HOLDER, {"pid": pid})
            raise FetchLockHeld(holder or "a run that is just ending")


def is_fetch_running(session: Session) -> bool:
    """Return whether a fetch holds the lock of this database, without taking it."""
    return read_lock_holder(session.connection(), AdvisoryLock.FETCH) is not None
