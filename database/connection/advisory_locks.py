"""`AdvisoryLock`: the keys of all PostgreSQL advisory locks; take and release them."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from enum import IntEnum, unique

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session


@unique
class AdvisoryLock(IntEnum):
    """A lock of one database, which PostgreSQL releases when its holder dies."""

    #: For creating or migrating the tables; held until the end of the transaction.
    MIGRATION = 7_190_001
    #: For a fetch; held by a session.
    FETCH = 7_190_002
    #: For writing a shard of `catalogue_counts`, with its number as second key; held until the end
    #: of the transaction. Only the SQL function `count_free_shard` takes it, see migration 0004.
    COUNT_SHARD = 7_190_003
    #: For making vectors; held by a session.
    EMBEDDING = 7_190_004
    #: Shared for adding movies with slugs, exclusive if stored movies claim other slugs than
    #: before; held until the end of the transaction.
    SLUGS = 7_190_005


_HELD = (
    "FROM pg_locks WHERE locktype = 'advisory' AND granted "
    "AND database = (SELECT oid FROM pg_database WHERE datname = current_database()) "
    "AND classid = 0 AND objid = :key AND objsubid = 1"
)
#: A lock that this session holds already is not taken again: it would have to be released twice.
_TAKE = text(
    f"SELECT CASE WHEN EXISTS (SELECT {_HELD} AND pid = pg_backend_pid()) THEN true "
    "ELSE pg_try_advisory_lock(:key) END"
)
_HOLDER = text(f"SELECT pid {_HELD}")
_RELEASE = text("SELECT pg_advisory_unlock(:key)")
_WAIT = text("SELECT pg_advisory_xact_lock(:key)")
_WAIT_SHARED = text("SELECT pg_advisory_xact_lock_shared(:key)")


def take_lock(connection: Connection, lock: AdvisoryLock) -> bool:
    """Return whether the session of *connection* holds *lock*, taken now if it is free."""
    return bool(connection.scalar(_TAKE, _key(lock)))


@contextmanager
def releasing(connection: Connection, lock: AdvisoryLock) -> Iterator[None]:
    """Release *lock* when the block ends; *connection* is not in a transaction then."""
    try:
        yield
    finally:
        # A lost connection has released the lock, and other code reports why it was lost.
        with suppress(DBAPIError), connection.begin():
            connection.execute(_RELEASE, _key(lock))


def wait_for_lock(
    connection: Connection | Session, lock: AdvisoryLock, *, is_shared: bool = False
) -> None:
    """Wait for *lock*, and hold it until the end of the transaction, alone unless *is_shared*."""
    connection.execute(_WAIT_SHARED if is_shared else _WAIT, _key(lock))


def read_lock_holder(connection: Connection, lock: AdvisoryLock) -> int | None:
    """Return the process id of the session that holds *lock*; None if it is free."""
    pid: int | None = connection.scalar(_HOLDER, _key(lock))
    return pid


def _key(lock: AdvisoryLock) -> dict[str, int]:
    return {"key": lock.value}
