"""`ReadOnlyDatabase`: sessions that cannot write; `read_revision`: which commits they see."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from psycopg2.extensions import connection as DriverConnection  # noqa: N812 (it is a class)
from sqlalchemy import URL, Connection, event, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session
from sqlalchemy.pool import ConnectionPoolEntry

from database.connection.engine import open_engine
from database.connection.explain import explain_trouble, explain_unreachable
from database.connection.kept_plans import keep_plans
from database.errors import DatabaseAway, DatabaseNotReady

APPLICATION_NAME = "yts-mirror server"
#: Longest time for one statement of a request, in seconds.
STATEMENT_SECONDS = 10
#: Plans of prepared statements do not depend on their values, which is what makes them cheap.
READING_SETTINGS = (
    f"SET default_transaction_read_only = on; SET statement_timeout = {STATEMENT_SECONDS * 1000}; "
    "SET plan_cache_mode = force_generic_plan; SET DateStyle = ISO; "
    # A request takes one core at most.
    "SET max_parallel_workers_per_gather = 0"
)
_ANY_MOVIE = text("SELECT 1 FROM movies LIMIT 1")
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
        # A thread keeps its connection: getting it from the pool again costs a tenth of a request.
        self._of_thread = threading.local()
        self._opened: list[Connection] = []
        self._engine = open_engine(
            url,
            pool_size=connections,
            max_overflow=0,
            application_name=APPLICATION_NAME,
            pre_ping=False,
        )

        keep_plans(self._engine)

        @event.listens_for(self._engine, "connect")
        def apply(connection: DriverConnection, _entry: ConnectionPoolEntry) -> None:
            # No round trips for BEGIN and COMMIT. As an option of the engine, SQLAlchemy would set
            # it again for each read, at twice the cost of a session.
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(READING_SETTINGS)

    def run(self, read: Callable[[Session], Result]) -> Result:
        """
        Return what *read* returns; it is called again if its connection had been cut before.

        Raises:
            DatabaseNotReady: the database is unreachable, or refuses a statement.
        """
        try:
            return self._run_in_session(read)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise explained(error, self._url) from error
        try:
            return self._run_in_session(read)
        except DBAPIError as error:
            raise explained(error, self._url) from error

    def _run_in_session(self, read: Callable[[Session], Result]) -> Result:
        with self._connected() as connection, Session(connection) as session:
            return read(session)

    @contextmanager
    def _connected(self) -> Iterator[Connection]:
        """Yield the connection of this thread; one in which a read failed is not used again."""
        connection: Connection | None = getattr(self._of_thread, "connection", None)
        if connection is None:
            connection = self._of_thread.connection = self._engine.connect()
            self._opened.append(connection)
        try:
            yield connection
        except BaseException:
            self._of_thread.connection = None
            self._opened.remove(connection)
            connection.close()
            raise
        if connection.in_transaction():
            connection.rollback()  # Of no statement: each was a transaction of its own.

    def close(self) -> None:
        """Close all connections; no read may run."""
        for connection in self._opened:
            connection.close()
        self._engine.dispose()


def explained(error: DBAPIError, url: URL) -> DatabaseNotReady:
    """Return an error of the database at *url* as one for the user."""
    if isinstance(error, OperationalError) and not error.statement:
        return DatabaseAway(explain_unreachable(error, url))
    return DatabaseNotReady(explain_trouble(error))


def check_movies(session: Session) -> None:
    """
    Read from the table of movies, which may be empty.

    Raises:
        DBAPIError: it cannot be read.
    """
    session.execute(_ANY_MOVIE)


def read_revision(session: Session) -> str:
    """
    Return a text that is different after any commit that changed rows.

    It is a snapshot: statements with equal snapshots see equal rows. It also changes with commits
    in other tables and databases of the server. A result that was read after the revision is never
    older than it.
    """
    revision: str = session.scalar(_REVISION)
    return revision
