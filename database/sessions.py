"""`Database`: one engine and its sessions, on the embedded server or on another one."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from sqlalchemy import URL
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session, sessionmaker

from database.config import read_database_url
from database.connection.engine import APPLICATION_NAME, open_engine
from database.connection.explain import explain_unreachable
from database.connection.retry import Result, Work, repeat_transient
from database.embedded.server import EmbeddedServer, open_embedded
from database.errors import DatabaseAway, DatabaseNotReady


class Database:
    """
    One database with its own pool of connections, which open when first needed.

    Without *database_url*, DATABASE_URL is used, else the embedded server, which is started if
    necessary and stopped when its last user has closed it. Processes must not share an object: each
    opens its own. Commands that only read use this class; its subclass also needs the code that
    writes.
    """

    def __init__(
        self,
        database_url: URL | str | None = None,
        *,
        pool_size: int = 10,
        max_overflow: int = 20,
        application_name: str = APPLICATION_NAME,
        is_keyed: bool = False,
        create: bool = True,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        """
        Choose the database; only the embedded server is started here.

        *is_keyed* is as in `open_engine`, *create* as in `open_embedded`.
        *sleep* waits while the database is away; it may raise to give up.

        Raises:
            InvalidDatabaseUrl: the URL cannot be read.
            DatabaseNotReady: the embedded server cannot be started.
            NoDataYet: it has no data, and *create* is False.
        """
        self._sleep = sleep
        self._embedded: EmbeddedServer | None = None
        url = read_database_url(database_url)
        if url is None:
            self._embedded = open_embedded(create=create)
            url = self._embedded.url
        self.url = url
        self.engine = open_engine(
            url,
            pool_size=pool_size,
            max_overflow=max_overflow,
            application_name=application_name,
            is_keyed=is_keyed,
        )
        # Rows stay readable after the commit that ends `get_session`.
        self._sessions = sessionmaker(self.engine, expire_on_commit=False)

    @contextmanager
    def get_session(self) -> Iterator[Session]:
        """
        Open a session; commit when the block ends well, roll back when it raises.

        Raises:
            DatabaseAway: no connection can be made.
        """
        with self._sessions() as session:
            try:
                session.connection()
            except OperationalError as error:
                raise DatabaseAway(explain_unreachable(error, self.url)) from error
            yield session
            session.commit()

    def run_transaction(
        self, step: Work[Result], *, patience_seconds: float | None = None
    ) -> Result:
        """
        Run *step* in a transaction, and repeat it while its errors are temporary.

        If the connection is lost during the commit, it is unknown whether the commit succeeded, so
        *step* must be repeatable.

        Raises:
            DatabaseNotReady: as `database.connection.retry.repeat_transient`.
        """

        def attempt() -> Result:
            with self.get_session() as session:
                return step(session)

        return repeat_transient(attempt, patience_seconds=patience_seconds, sleep=self._sleep)

    def close_all(self) -> None:
        """Close every connection, and the share in the embedded server, if it is used."""
        self.engine.dispose()
        if self._embedded is not None:
            self._embedded.close()
            self._embedded = None

    def __enter__(self) -> Self:
        """Return itself."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """
        Close everything.

        Raises:
            DatabaseAway: the embedded server has ended; replaces less clear errors of the block.
        """
        try:
            if isinstance(error, DatabaseAway) and (reason := self.explain_absence()):
                raise DatabaseAway(reason) from error
        finally:
            self.close_all()

    def start_if_ended(self) -> bool:
        """
        Start the embedded server again if it has ended; return whether that was done.

        Raises:
            DatabaseNotReady: it cannot be started.
        """
        try:
            return self._embedded is not None and self._embedded.start_if_ended()
        except OSError as error:
            raise DatabaseNotReady(f"The embedded PostgreSQL cannot be used: {error}.") from error

    def explain_absence(self) -> str | None:
        """Return why the embedded server has ended; None if it runs, or if it is not used."""
        reason = self._embedded.explain_absence() if self._embedded else None
        return reason and (
            f"The embedded PostgreSQL has ended: {reason}. What was saved stays; when the cause is "
            "removed, run the same command again: it starts the server again."
        )
