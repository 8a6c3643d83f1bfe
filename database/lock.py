"""One fetch at a time: an advisory lock that PostgreSQL frees when its holder dies."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, text

_FETCH_LOCK = 7_190_002


class FetchLockHeld(Exception):
    """Another fetch is running on this database; the argument says since when."""


@contextmanager
def hold_fetch_lock(engine: Engine) -> Iterator[None]:
    """
    Hold the lock of this database for as long as the block runs.

    Raises:
        FetchLockHeld: somebody else holds it.
    """
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        key = {"key": _FETCH_LOCK}
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), key):
            raise FetchLockHeld(
                connection.scalar(
                    text(
                        "SELECT 'process ' || pid || ' of ' || coalesce(host(client_addr), "
                        "'this machine') || ' since ' || to_char(backend_start, "
                        "'YYYY-MM-DD HH24:MI:SS') || ' UTC' FROM pg_stat_activity "
                        "JOIN pg_locks USING (pid) WHERE locktype = 'advisory' AND objid = :key"
                    ),
                    key,
                )
                or "a run that is just ending"
            )
        try:
            yield
        finally:
            connection.execute(text("SELECT pg_advisory_unlock(:key)"), key)
