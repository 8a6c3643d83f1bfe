"""`LoopConnection`: a connection to PostgreSQL whose statements an event loop waits for."""

import asyncio
from collections.abc import Mapping, Sequence
from select import POLLIN, poll, select
from time import monotonic
from typing import Any

import psycopg2
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extensions import connection as DriverConnection  # noqa: N812 (it is a class)
from psycopg2.extensions import cursor as Cursor  # noqa: N812 (it is a class)
from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from database.connection.engine import connection_parameters, settings_command
from database.connection.plan_age import PlanAge, is_invalid

#: What takes the places in a statement; without it, % means itself.
Values = Sequence[Any] | Mapping[str, Any] | None
#: Longest wait for a connection to open, in seconds.
_OPEN_SECONDS = 10.0
#: The cursors of other connections note each statement, for threads that cancel it.
_PLAIN_CURSOR: dict[str, Any] = {"cursor_factory": Cursor}


class LoopConnection:
    """
    Runs one statement at a time without a thread, each in a transaction of its own.

    On a thread, a read takes twice as much CPU: it waits for the interpreter, and the loop for it.
    """

    def __init__(self, connection: DriverConnection, loop: asyncio.AbstractEventLoop) -> None:
        """Use *connection*, which `open_driver` has opened, on *loop*."""
        self._connection = connection
        self._loop = loop
        self._file = connection.fileno()
        #: The statement under way.
        self._waiter: asyncio.Future[None] | None = None
        self._is_writing = False
        #: Names of the prepared statements that this connection has.
        self.prepared: set[str] = set()
        self.plan_age = PlanAge()
        self._poller = poll()
        self._poller.register(self._file, POLLIN)
        loop.add_reader(self._file, self._advance)

    @property
    def is_closed(self) -> bool:
        """Return whether it was cut or closed."""
        return bool(self._connection.closed)

    async def execute(self, statement: str, values: Values = None) -> list[tuple[Any, ...]]:
        """
        Return the rows of a statement, none if it has no result; of several, those of the last.

        Raises:
            DBAPIError: as SQLAlchemy raises it.
        """
        waiter = self._waiter = self._loop.create_future()
        try:
            cursor = self._connection.cursor()
            cursor.execute(statement, values)
            self._advance()
            await waiter
            return cursor.fetchall() if cursor.description else []
        except psycopg2.Error as error:
            if self.is_closed or is_invalid(error):
                self.close()
            raise _explained(statement, error, is_cut=self.is_closed) from error
        finally:
            self._waiter = None

    def _advance(self) -> None:
        """Send and receive what is possible now, and wake the statement that is finished."""
        waiter = self._waiter
        try:
            state = self._connection.poll()
            while state == POLL_READ and self._poller.poll(0):
                state = self._connection.poll()
        except psycopg2.Error as error:
            if waiter is None:
                self.close()  # The server has closed it while it was idle.
            elif not waiter.done():
                waiter.set_exception(error)
            return
        if self._is_writing != (state == POLL_WRITE):
            self._is_writing = not self._is_writing
            if self._is_writing:
                self._loop.add_writer(self._file, self._advance)
            else:
                self._loop.remove_writer(self._file)
        if state == POLL_OK and waiter is not None and not waiter.done():
            waiter.set_result(None)

    def close(self) -> None:
        """Close the connection; no statement may run."""
        self._loop.remove_reader(self._file)
        self._loop.remove_writer(self._file)
        self._connection.close()


def open_driver(url: URL, application_name: str, settings: str) -> DriverConnection:
    """
    Connect to *url* and apply the SQL *settings*; for a thread, because names are looked up.

    Raises:
        DBAPIError: as SQLAlchemy raises it.
    """
    _, of_url = url.get_dialect()().create_connect_args(url)
    parameters = {**of_url, **connection_parameters(url, application_name), **_PLAIN_CURSOR}
    try:
        connection: DriverConnection = psycopg2.connect(**parameters, async_=1)
        _wait(connection)
        cursor = connection.cursor()  # It must exist until it has finished.
        cursor.execute(f"{settings_command(url, is_keyed=False)}; {settings}")
        _wait(connection)
    except psycopg2.Error as error:
        raise _explained("", error, is_cut=False) from error
    return connection


def _wait(connection: DriverConnection) -> None:
    end = monotonic() + _OPEN_SECONDS
    while (state := connection.poll()) != POLL_OK:
        reading = [connection] if state == POLL_READ else []
        writing = [connection] if state == POLL_WRITE else []
        if not any(select(reading, writing, [], max(0.0, end - monotonic()))):
            raise psycopg2.OperationalError("timeout expired")


def _explained(statement: str, error: psycopg2.Error, *, is_cut: bool) -> BaseException:
    """Return an error of the driver as SQLAlchemy's."""
    return DBAPIError.instance(
        statement, None, error, psycopg2.Error, connection_invalidated=is_cut
    )
