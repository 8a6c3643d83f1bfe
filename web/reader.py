"""`CatalogueReader`: runs reads on threads, and keeps their results while no row changes."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL
from sqlalchemy.orm import Session

from database.errors import DatabaseAway, DatabaseNotReady
from database.serving.prepared import Reading
from database.serving.read_only import ReadOnlyDatabase, read_revision
from web.cache import CachedBody, ResponseCache
from web.settings import ServerSettings

#: A revision that is younger is not read again, in seconds; responses may be this much late.
_REVISION_SECONDS = 0.1
#: How long the end of the server waits for reads that run, in seconds.
CLOSE_SECONDS = 0.5
#: What clients are told of all errors of the database; its operator gets the details.
_AWAY = "The database cannot be read at the moment. Try again later."

Read = Callable[[Session], bytes]
#: Returns the revision of the body, and the body.
PreparedRead = Callable[[Reading], tuple[str, bytes]]
Result = TypeVar("Result")
#: What a thread returns: a value and, if it is kept or says what is current, its revision.
_Made = tuple[str | None, Any]


class Overloaded(Exception):
    """All connections were busy for too long."""


class CatalogueReader:
    """
    Reads from the database for the event loop it is used on; closed by `close`.

    Equal reads that run at the same time are run once.
    """

    def __init__(
        self,
        url: URL,
        settings: ServerSettings,
        report: Callable[[str], None] = lambda _problem: None,
    ) -> None:
        """Read from the database at *url*; *report* gets each problem of the database once."""
        self._database = ReadOnlyDatabase(url, settings.connections)
        self._threads = ThreadPoolExecutor(settings.connections, thread_name_prefix="reader")
        self._connections = settings.connections
        self._free = asyncio.Semaphore(settings.connections)
        self._queue_seconds = settings.queue_seconds
        self._read_seconds = settings.read_seconds
        self._report = report
        #: The problem that was reported last; empty after a read that succeeded.
        self._problem = ""
        self._cache = ResponseCache(settings.cache_bytes)
        self._revision_at = float("-inf")
        #: Requests that wait for a read, by its key.
        self._waiting: dict[str, list[asyncio.Future[Any]]] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._loop = asyncio.get_running_loop()

    async def read(self, key: str, read: Read) -> CachedBody:
        """
        Return the body that *read* makes; equal keys mean equal reads.

        Raises:
            Overloaded: no connection was free in time.
            DatabaseNotReady: the database cannot be read, or does not respond in time.
        """

        def make(session: Session) -> _Made:
            return read_revision(session), CachedBody(read(session))

        return await self._in_time(self._get(key, partial(self._database.run, make)))

    async def read_prepared(self, key: str, read: PreparedRead) -> CachedBody:
        """Do the same for a read with prepared statements."""

        def make(reading: Reading) -> _Made:
            revision, body = read(reading)
            return revision, CachedBody(body)

        return await self._in_time(self._get(key, partial(self._database.run_prepared, make)))

    async def run(self, work: Callable[[Session], Result]) -> Result:
        """
        Return what *work* returns; it is not kept.

        Raises:
            Overloaded, DatabaseNotReady: as `read`.
        """

        def make(session: Session) -> _Made:
            return None, work(session)

        # A client that leaves does not free the connection before the thread does.
        once = self._once(f"run {id(work)}", partial(self._database.run, make))
        result: Result = await self._in_time(once)
        return result

    async def _in_time(self, reading: Awaitable[Result]) -> Result:
        """Return the result of *reading*; a database that is frozen would never respond."""
        try:
            async with asyncio.timeout(self._read_seconds):
                return await reading
        except TimeoutError as error:
            problem = f"A read of the database has taken longer than {self._read_seconds:g} s."
            raise self._refusal(problem) from error

    def _refusal(self, problem: str) -> DatabaseNotReady:
        """Report *problem*, and return the error for clients, which need no names and paths."""
        if problem != self._problem:
            self._problem = problem
            self._report(problem)
        return DatabaseAway(_AWAY)

    async def _get(self, key: str, work: Callable[[], _Made]) -> CachedBody:
        if self._cache.has(key):
            await self._check_revision()
        if (kept := self._cache.get(key)) is not None:
            return kept
        body: CachedBody = await self._once(key, work)
        return body

    async def _check_revision(self) -> None:
        if self._loop.time() - self._revision_at > _REVISION_SECONDS:
            await self._once("", partial(self._database.run_prepared, _read_revision))

    async def _once(self, key: str, work: Callable[[], _Made]) -> Any:
        """Wait for the value of *work*, with all who ask for the same *key* meanwhile."""
        # A client that leaves ends its own wait, not that of the others.
        waiter: asyncio.Future[Any] = self._loop.create_future()
        waiters = self._waiting.setdefault(key, [])
        waiters.append(waiter)
        if len(waiters) == 1:
            if self._free.locked():
                task = self._loop.create_task(self._begin_later(key, work))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)
            else:
                await self._free.acquire()  # At once.
                self._begin(key, work)
        return await waiter

    async def _begin_later(self, key: str, work: Callable[[], _Made]) -> None:
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._free.acquire()
        except TimeoutError:
            for waiter in self._pop_waiters(key):
                waiter.set_exception(Overloaded())
        else:
            self._begin(key, work)

    def _begin(self, key: str, work: Callable[[], _Made]) -> None:
        """Run *work*, which needs a connection, on a thread."""
        finish = partial(self._finish, key, self._loop.time())
        future = self._threads.submit(work)
        future.add_done_callback(partial(self._call_on_loop, finish))

    def _call_on_loop(
        self, finish: Callable[["Future[_Made]"], None], done: "Future[_Made]"
    ) -> None:
        with suppress(RuntimeError):  # The server has ended meanwhile.
            self._loop.call_soon_threadsafe(finish, done)

    def _finish(self, key: str, started: float, done: "Future[_Made]") -> None:
        """Keep the body of a read, and give it to all who wait for it."""
        self._free.release()
        waiters = self._pop_waiters(key)
        if error := done.exception():
            if isinstance(error, DatabaseNotReady):
                error = self._refusal(str(error))
            for waiter in waiters:
                waiter.set_exception(error)
            return
        self._problem = ""
        revision, value = done.result()
        if revision is not None:
            self._note(revision, started)
            if isinstance(value, CachedBody):
                self._cache.put(key, revision, value)
        for waiter in waiters:
            waiter.set_result(value)

    def _pop_waiters(self, key: str) -> list[asyncio.Future[Any]]:
        return [waiter for waiter in self._waiting.pop(key) if not waiter.done()]

    def _note(self, revision: str, started: float) -> None:
        """Take *revision*, read after the time *started*, unless a later one is known."""
        if started > self._revision_at:
            self._cache.note_revision(revision)
            self._revision_at = started

    async def close(self) -> None:
        """Wait a moment for the reads that run; the end of the process ends all others."""
        for task in self._tasks:
            task.cancel()
        self._threads.shutdown(wait=False)
        try:
            async with asyncio.timeout(CLOSE_SECONDS):
                for _ in range(self._connections):
                    await self._free.acquire()
        except TimeoutError:
            return  # A thread still uses its connection, until PostgreSQL responds.
        self._database.close()


def _read_revision(reading: Reading) -> _Made:
    return reading.read_revision(), None
