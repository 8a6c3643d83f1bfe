"""`ReadOnlyDatabase`: sessions that cannot write; `read_revision`: which commits they see."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from psycopg2.extensions import connection as DriverConnection  # noqa: N812 (it is a class)
from sqlalchemy import URL, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from database.connection.engine import open_engine
from database.connection.explain import explain_trouble, explain_unreachable
from database.errors import DatabaseAway, DatabaseNotReady

#: Longest time for one statement of a request, in seconds.
STATEMENT_SECONDS = 10
_SETTINGS = (
    f"SET default_transaction_read_only = on; SET statement_timeout = {STATEMENT_SECONDS * 1000}"
)
_REVISION = text("SELECT pg_current_snapshot()::text")

Result = TypeVar("Result")


class ReadOnlyDatabase:
    """
    Connections that PostgreSQL itself lets only read, each statement in a transaction of its own.

    One connection for each thread that uses it; closed by `close`.
    """

    def __init__(self, url: URL, connections: int) -> None:
        """Connect to *url* when first needed, at most *connections* times at once."""
        self._url = url
        engine = open_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            application_name="yts-mirror server",
            pre_ping=False,
        )

        @event.listens_for(engine, "connect")
        def apply(connection: DriverConnection, _entry: ConnectionPoolEntry) -> None:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(_SETTINGS)

        # No round trips for BEGIN and COMMIT.
        self._engine = engine.execution_options(isolation_level="AUTOCOMMIT")

    def run(self, read: Callable[[Session], Result]) -> Result:
        """
        Return what *read* returns; it is called again if its connection had been cut before.

        Raises:
            DatabaseNotReady: the database is unreachable, or refuses a statement.
        """
        try:
            return self._attempt(read)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise DatabaseNotReady(explain_trouble(error)) from error
        try:
            return self._attempt(read)
        except OperationalError as error:
            raise DatabaseAway(explain_unreachable(error, self._url)) from error
        except DBAPIError as error:
            raise DatabaseNotReady(explain_trouble(error)) from error

    def _attempt(self, read: Callable[[Session], Result]) -> Result:
        with Session(self._engine) as session:
            return read(session)

    def close(self) -> None:
        """Close all connections."""
        self._engine.dispose()


@contextmanager
def transaction(session: Session) -> Iterator[None]:
    """Read in one transaction, where settings last until its end; not needed for one statement."""
    session.execute(text("BEGIN"))
    try:
        yield
    except DBAPIError as error:
        if not error.connection_invalidated:
            session.execute(text("ROLLBACK"))
        raise
    except BaseException:
        session.execute(text("ROLLBACK"))
        raise
    session.execute(text("COMMIT"))


def read_revision(session: Session) -> str:
    """
    Return a text that is different after any commit that changed rows.

    It is a snapshot: statements with equal snapshots see equal rows. It also changes with commits
    in other tables and databases of the server. A result that was read after the revision is never
    older than it.
    """
    revision: str = session.scalar(_REVISION)
    return revision
