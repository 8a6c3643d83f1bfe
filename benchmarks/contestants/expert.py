"""
`python -m benchmarks.contestants.expert`: one process with aiohttp and asyncpg's COPY.

It shows the fastest possible time: it has no bookkeeping, does not resume, and does not check
responses.
"""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any

import aiohttp
import asyncpg  # type: ignore[import-untyped]  # without annotations
import orjson
import uvloop

from benchmarks.contestants import movie_rows
from benchmarks.contestants.tables import KNOWN, TABLES
from benchmarks.contestants.work import Work, read_work

_MOVIES_A_COMMIT = 500
_ATTEMPTS = 8
_STAGED = ("movies", "casts", "torrents", "movie_casts")
_MERGE = (
    "INSERT INTO movies SELECT * FROM new_movies ON CONFLICT DO NOTHING;"
    "INSERT INTO casts SELECT * FROM new_casts ON CONFLICT DO NOTHING;"
    "INSERT INTO torrents SELECT * FROM new_torrents ON CONFLICT DO NOTHING;"
    "INSERT INTO movie_casts SELECT * FROM new_movie_casts ON CONFLICT DO NOTHING;"
    "INSERT INTO genres SELECT DISTINCT genre FROM new_movie_genres ON CONFLICT DO NOTHING;"
    "INSERT INTO movie_genres SELECT * FROM new_movie_genres ON CONFLICT DO NOTHING;"
)

Movie = dict[str, Any]


class Fetcher:
    """Keeps *connections* requests under way, at most *rate* requests a second."""

    def __init__(self, work: Work, ids: Sequence[int], queue: asyncio.Queue[Movie | None]) -> None:
        """Prepare queues for the movies."""
        self._work = work
        self._ids = deque(ids)
        self._queue = queue
        self._next_slot = 0.0

    async def run(self) -> None:
        """Put every movie on the queue, and None behind the last."""
        connector = aiohttp.TCPConnector(limit=self._work.connections)
        session = aiohttp.ClientSession(connector=connector)
        async with session, asyncio.TaskGroup() as group:
            for _ in range(self._work.connections):
                group.create_task(self._fetch_all(session))
        await self._queue.put(None)

    async def _fetch_all(self, session: aiohttp.ClientSession) -> None:
        while self._ids:
            movie_id = self._ids.popleft()
            movie = await self._fetch(session, movie_id)
            if movie and movie["id"] == movie_id:
                await self._queue.put(movie)

    async def _fetch(self, session: aiohttp.ClientSession, movie_id: int) -> Movie | None:
        url = f"{self._work.details_url}?movie_id={movie_id}&with_cast=true"
        for _ in range(_ATTEMPTS):
            await self._wait_for_slot()
            async with session.get(url) as response:
                if response.status == 200:
                    movie: Movie = orjson.loads(await response.read())["data"]["movie"]
                    return movie
                pause = float(response.headers.get("Retry-After", 1))
            await asyncio.sleep(pause)
        return None

    async def _wait_for_slot(self) -> None:
        if self._work.rate:
            now = asyncio.get_running_loop().time()
            self._next_slot = max(now, self._next_slot + 1 / self._work.rate)
            await asyncio.sleep(self._next_slot - now)


async def write_all(connection: asyncpg.Connection, queue: asyncio.Queue[Movie | None]) -> None:
    """Save what comes in, in large commits, while fetching continues."""
    batch: list[Movie] = []
    while movie := await queue.get():
        batch.append(movie)
        if len(batch) == _MOVIES_A_COMMIT:
            await save(connection, batch)
            batch = []
    await save(connection, batch)


async def save(connection: asyncpg.Connection, movies: Sequence[Movie]) -> None:
    """Copy *movies* into staging tables and merge those, in one commit."""
    rows = movie_rows.gather(movies)
    async with connection.transaction():
        for table, records in (
            ("new_movies", rows.movies.values()),
            ("new_casts", rows.people.values()),
            ("new_torrents", rows.torrents.values()),
            ("new_movie_casts", rows.roles.values()),
            ("new_movie_genres", rows.genres),
        ):
            await connection.copy_records_to_table(table, records=records)
        await connection.execute(_MERGE)


async def mirror(work: Work) -> None:
    """Mirror the movies that are not stored."""
    connection = await asyncpg.connect(work.database_url)
    await connection.execute(TABLES)
    for table in (*_STAGED, "movie_genres"):
        await connection.execute(
            f"CREATE TEMP TABLE new_{table} (LIKE {table}) ON COMMIT DELETE ROWS"
        )
    known = {row["external_id"] for row in await connection.fetch(KNOWN)}
    queue: asyncio.Queue[Movie | None] = asyncio.Queue(4 * _MOVIES_A_COMMIT)
    ids = [movie_id for movie_id in work.ids if movie_id not in known]
    async with asyncio.TaskGroup() as group:
        group.create_task(Fetcher(work, ids, queue).run())
        group.create_task(write_all(connection, queue))
    await connection.close()


if __name__ == "__main__":
    uvloop.run(mirror(read_work()))
