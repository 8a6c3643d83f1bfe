"""`LoopDatabase`: prepared reads on an event loop, on connections that cannot write."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Executor
from typing import TypeVar

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError

from database.serving.loop_connection import LoopConnection, open_driver
from database.serving.prepared import Reading
from database.serving.read_only import APPLICATION_NAME, READING_SETTINGS, explained

Result = TypeVar("Result")


class LoopDatabase:
    """Connections of one event loop, one for each read under way; closed by `close`."""

    def __init__(self, url: URL, threads: Executor, on_cut: Callable[[], None]) -> None:
        """
        Connect to *url* when first needed, on *threads*.

        *on_cut* is called when a connection was cut: after a crash or a restore, PostgreSQL may
        use the numbers of transactions again that this program has seen.
        """
        self._url = url
        self._threads = threads
        self._on_cut = on_cut
        self._loop = asyncio.get_running_loop()
        self._idle: list[LoopConnection] = []

    async def run(self, read: Callable[[Reading], Awaitable[Result]]) -> Result:
        """
        Return what *read* returns; it is called again if its connection had been cut before.

        The caller limits how many run at once, and does not cancel them.

        Raises:
            DatabaseNotReady: the database is unreachable, or refuses a statement.
        """
        try:
            return await self._attempt(read)
        except DBAPIError as error:
            if not error.connection_invalidated:
                raise explained(error, self._url) from error
            self._on_cut()
        try:
            return await self._attempt(read)
        except DBAPIError as error:
            raise explained(error, self._url) from error

    async def _attempt(self, read: Callable[[Reading], Awaitable[Result]]) -> Result:
        connection = self._take() or await self._open()
        try:
            result = await read(Reading(connection))
        except BaseException:
            connection.close()
            raise
        self._idle.append(connection)
        return result

    def _take(self) -> LoopConnection | None:
        """Return a connection that is open; None if there is none."""
        while self._idle:
            connection = self._idle.pop()
            if not connection.is_closed:
                return connection
            self._on_cut()
        return None

    async def _open(self) -> LoopConnection:
        driver = await self._loop.run_in_executor(
            self._threads, open_driver, self._url, APPLICATION_NAME, READING_SETTINGS
        )
        return LoopConnection(driver, self._loop)

    def close(self) -> None:
        """Close all connections; no read may run."""
        for connection in self._idle:
            connection.close()
