"""`CatalogueReader`: runs reads on threads, and keeps their results while no row changes."""

import asyncio
from collections.abc import Callable, Coroutine
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any, TypeVar

from sqlalchemy import URL
from sqlalchemy.orm import Session

from database.serving.read_only import ReadOnlyDatabase, read_revision
from web.cache import CachedBody, ResponseCache
from web.settings import ServerSettings

#: A revision that is younger is not read again, in seconds; responses may be this much late.
_REVISION_SECONDS = 0.1

Read = Callable[[Session], bytes]
Result = TypeVar("Result")


class Overloaded(Exception):
    """All connections were busy for too long."""


class CatalogueReader:
    """
    Reads from the database for the event loop it is used on; closed by `close`.

    Equal reads that run at the same time are run once.
    """

    def __init__(self, url: URL, settings: ServerSettings) -> None:
        """Read from the database at *url*."""
        self._database = ReadOnlyDatabase(url, settings.connections)
        self._threads = ThreadPoolExecutor(settings.connections, thread_name_prefix="reader")
        self._free = asyncio.Semaphore(settings.connections)
        self._queue_seconds = settings.queue_seconds
        self._cache = ResponseCache(settings.cache_bytes)
        self._revision_at = float("-inf")
        self._running: dict[str, asyncio.Future[Any]] = {}

    async def read(self, key: str, read: Read) -> CachedBody:
        """
        Return the body that *read* makes; equal keys mean equal reads.

        Raises:
            Overloaded: no connection was free in time.
            DatabaseNotReady: the database cannot be read.
        """
        if self._cache.has(key):
            await self._check_revision()
        if (body := self._cache.get(key)) is not None:
            return body
        return await self._once(key, partial(self._make, key, read))

    async def _once(self, name: str, make: Callable[[], Coroutine[Any, Any, Result]]) -> Result:
        """Wait for what *make* returns, with all who ask for the same *name* meanwhile."""
        running = self._running.get(name)
        if running is None:
            running = asyncio.ensure_future(make())
            self._running[name] = running
            running.add_done_callback(partial(self._forget, name))
        # A client that leaves ends its own wait, not that of the others.
        result: Result = await asyncio.shield(running)
        return result

    def _forget(self, name: str, done: "asyncio.Future[Any]") -> None:
        self._running.pop(name, None)
        if not done.cancelled():
            done.exception()  # Perhaps all who waited for it have left.

    async def _make(self, key: str, read: Read) -> CachedBody:
        def make(session: Session) -> tuple[str, CachedBody]:
            return read_revision(session), CachedBody.of(read(session))

        started = self._now()
        revision, body = await self._run(make)
        self._note(revision, started)
        self._cache.put(key, revision, body)
        return body

    async def _check_revision(self) -> None:
        if self._now() - self._revision_at > _REVISION_SECONDS:
            await self._once("revision", self._read_revision)

    async def _read_revision(self) -> None:
        started = self._now()
        self._note(await self._run(read_revision), started)

    def _note(self, revision: str, started: float) -> None:
        """Take *revision*, read after the time *started*, unless a later one is known."""
        if started > self._revision_at:
            self._cache.note_revision(revision)
            self._revision_at = started

    def _now(self) -> float:
        return asyncio.get_running_loop().time()

    async def _run(self, work: Callable[[Session], Result]) -> Result:
        """Run *work* in a session on a thread."""
        try:
            async with asyncio.timeout(self._queue_seconds):
                await self._free.acquire()
        except TimeoutError:
            raise Overloaded from None
        try:
            return await asyncio.get_running_loop().run_in_executor(
                self._threads, self._database.run, work
            )
        finally:
            self._free.release()

    async def run(self, work: Callable[[Session], Result]) -> Result:
        """
        Return what *work* returns; it is not kept.

        Raises:
            Overloaded, DatabaseNotReady: as `read`.
        """
        # A client that leaves does not free the connection before the thread does.
        return await self._once(f"run {id(work)}", partial(self._run, work))

    async def close(self) -> None:
        """Wait for the reads that run, and end the threads."""
        for running in [*self._running.values()]:
            with suppress(Exception):
                await running
        self._threads.shutdown()
        self._database.close()
