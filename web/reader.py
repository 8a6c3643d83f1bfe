"""`CatalogueReader`: reads of the database for requests, each result kept while no row changes."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL
from sqlalchemy.orm import Session

from database.errors import DatabaseAway, DatabaseNotReady
from database.serving.loop_database import LoopDatabase
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

Result = TypeVar("Result")
Read = Callable[[Session], bytes]


class Overloaded(Exception):
    """All connections were busy for too long."""


class CatalogueReader:
    """
    Reads from the database for the event loop it is used on; closed by `close`.

    Sessions run on threads, prepared statements on the loop itself. Equal reads that run at the
    same time are run once, and a client that leaves ends its own wait only.
    """

    def __init__(
        self,
        url: URL,
        settings: ServerSettings,
        report: Callable[[str], None] = lambda _problem: None,
    ) -> None:
        """Read from the database at *url*; *report* gets each problem of the database once."""
        self._sessions = ReadOnlyDatabase(url, settings.connections)
        self._threads = ThreadPoolExecutor(settings.connections, thread_name_prefix="reader")
        self._statements = LoopDatabase(url, self._threads, self._forget)
        self._free = asyncio.Semaphore(settings.connections)
        self._queue_seconds = settings.queue_seconds
        self._read_seconds = settings.read_seconds
        self._report = report
        #: What was reported since the last read that succeeded.
        self._problems: set[str] = set()
        self._cache = ResponseCache(settings.cache_bytes)
        self._revision = ""
        self._revision_at = float("-inf")
        #: Reads under way, by their key.
        self._tasks: dict[object, asyncio.Task[Any]] = {}
        #: Called when all that is kept may be wrong.
        self.forgetting: list[Callable[[], None]] = []
        self._loop = asyncio.get_running_loop()

    async def read(self, key: str, read: Read) -> CachedBody:
        """
        Return the body that *read* makes on a thread; equal keys mean equal reads.

        Raises:
            Overloaded: no connection was free in time.
            DatabaseNotReady: the database cannot be read, or does not respond in time.
        """

        def make(session: Session) -> tuple[str, CachedBody]:
            return read_revision(session), CachedBody(read(session))

        return await self.keep(key, partial(self._run_noted, partial(self._on_thread, make)))

    async def keep(
        self, key: str, make: Callable[[], Awaitable[tuple[str, CachedBody]]]
    ) -> CachedBody:
        """
        Return the body that *make* returns, with a revision that it is not older than.

        Raises:
            Overloaded, DatabaseNotReady: as `read`.
        """
        return await self._in_time(self._get(key, make))

    async def run(self, work: Callable[[Session], Result]) -> Result:
        """
        Return what *work* returns on a thread; it is not kept.

        Raises:
            Overloaded, DatabaseNotReady: as `read`.
        """
        run = partial(self._with_connection, partial(self._on_thread, work))
        return await self._in_time(self.share(object(), run))

    async def run_prepared(
        self, read: Callable[[Reading], Awaitable[tuple[str, Result]]]
    ) -> tuple[str, Result]:
        """
        Return what *read* returns, first its revision; for use in `keep` and `share`.

        Raises:
            Overloaded, DatabaseNotReady: as `read`.
        """
        return await self._run_noted(partial(self._statements.run, read))

    async def revision(self) -> str:
        """Return a revision that was read a moment ago, or is read now."""
        if self._loop.time() - self._revision_at > _REVISION_SECONDS:
            revision, _ = await self.share("", partial(self.run_prepared, _read_revision))
            return revision
        return self._revision

    async def share(self, key: object, work: Callable[[], Awaitable[Result]]) -> Result:
        """Return what *work* returns; it runs once for all who use the same *key* meanwhile."""
        task = self._tasks.get(key)
        if task is None:
            task = self._tasks[key] = self._loop.create_task(_awaited(work))
            task.add_done_callback(partial(self._end_share, key))
        result: Result = await asyncio.shield(task)
        return result

    def _end_share(self, key: object, task: asyncio.Task[Any]) -> None:
        del self._tasks[key]
        if not task.cancelled():
            task.exception()  # All who waited may have left.

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
        if problem not in self._problems:
            self._problems.add(problem)
            self._report(problem)
        return DatabaseAway(_AWAY)

    async def _get(
        self, key: str, make: Callable[[], Awaitable[tuple[str, CachedBody]]]
    ) -> CachedBody:
        if self._cache.has(key):
            await self.revision()
        if (kept := self._cache.get(key)) is not None:
            return kept
        return await self.share(key, partial(self._make, key, make))

    async def _make(
        self, key: str, make: Callable[[], Awaitable[tuple[str, CachedBody]]]
    ) -> CachedBody:
        revision, body = await make()
        self._cache.put(key, revision, body)
        return body

    async def _run_noted(
        self, read: Callable[[], Awaitable[tuple[str, Result]]]
    ) -> tuple[str, Result]:
        """Do the same as `_with_connection`, and take the revision unless a later one is known."""

        async def noted() -> tuple[str, Result]:
            started = self._loop.time()
            revision, value = await read()
            if started > self._revision_at:
                self._revision, self._revision_at = revision, started
                self._cache.note_revision(revision)
            return revision, value

        return await self._with_connection(noted)

    async def _with_connection(self, read: Callable[[], Awaitable[Result]]) -> Result:
        """Return what *read* returns, which needs a connection."""
        if self._free.locked():
            try:
                async with asyncio.timeout(self._queue_seconds):
                    await self._free.acquire()
            except TimeoutError as error:
                raise Overloaded from error
        else:
            await self._free.acquire()  # At once.
        try:
            result = await read()
        except DatabaseNotReady as error:
            raise self._refusal(str(error)) from error
        finally:
            self._free.release()
        self._problems.clear()
        return result

    async def _on_thread(self, work: Callable[[Session], Result]) -> Result:
        return await self._loop.run_in_executor(self._threads, self._sessions.run, work)

    def _forget(self) -> None:
        """Forget all that is kept, because equal revisions may not mean equal rows any more."""
        self._revision_at = float("-inf")
        self._cache.note_revision("")
        for forget in self.forgetting:
            forget()

    async def close(self) -> None:
        """Wait a moment for the reads that run; the end of the process ends all others."""
        self._threads.shutdown(wait=False)
        if self._tasks:
            _, unfinished = await asyncio.wait(self._tasks.values(), timeout=CLOSE_SECONDS)
            for task in unfinished:
                task.cancel()
            if unfinished:
                return  # A connection is in use until PostgreSQL responds.
        self._statements.close()
        self._sessions.close()


async def _awaited(work: Callable[[], Awaitable[Result]]) -> Result:
    return await work()


async def _read_revision(reading: Reading) -> tuple[str, None]:
    return await reading.read_revision(), None
