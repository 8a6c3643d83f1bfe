"""`serving_session`: a read-only transaction of the server; `read_revision`: what it sees."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.monitoring.status import read_only_session

#: Longest time for one statement of a request, in seconds.
STATEMENT_SECONDS = 10
_BEGIN = text(
    "SET TRANSACTION ISOLATION LEVEL REPEATABLE READ; "
    f"SET LOCAL statement_timeout = {STATEMENT_SECONDS * 1000}"
)
_REVISION = text("SELECT pg_current_snapshot()::text")


@contextmanager
def serving_session(db: DatabaseManager) -> Iterator[Session]:
    """
    Open a transaction in which all statements see the same rows, and that can write none.

    Raises:
        DatabaseNotReady: as `read_only_session`, or a statement took longer than its limit.
    """
    with read_only_session(db) as session:
        session.execute(_BEGIN)
        yield session


def read_revision(session: Session) -> str:
    """
    Return a text that is different after any commit that changed rows.

    It is the snapshot of the transaction: transactions with equal snapshots see equal rows. It
    also changes with commits in other tables and databases of the server.
    """
    revision: str = session.scalar(_REVISION)
    return revision
