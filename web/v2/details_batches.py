"""`DetailsBatches`: reads the details of movies that are requested at the same time together."""

import asyncio
from dataclasses import dataclass, field
from functools import partial

from database.serving.prepared import Reading
from database.serving.yts_reads import Details, read_details
from web.reader import CatalogueReader
from web.v2.parameters import MovieRequest

#: Statements that run at once; others wait and are joined, which halves the cost of each movie.
_STATEMENTS = 2
#: Most movies of a statement.
_MOST_MOVIES = 50

#: Movies of the same kind are read by one statement: by code, with images, with cast.
_Kind = tuple[bool, bool, bool]
_Found = dict[int | str, Details]


@dataclass(eq=False, slots=True)
class _Batch:
    kind: _Kind
    movies: list[int | str] = field(default_factory=list)


class DetailsBatches:
    """The details that requests wait for, in batches that are not read yet."""

    def __init__(self, reader: CatalogueReader) -> None:
        """Read with *reader*."""
        self._reader = reader
        self._turns = asyncio.Semaphore(_STATEMENTS)
        #: Batches that can still grow.
        self._open: dict[_Kind, _Batch] = {}

    async def read(self, request: MovieRequest) -> tuple[str, Details | None]:
        """Return the revision of a movie, and the movie; None if it is not there, or gone."""
        movie = request.movie_id or request.imdb_code
        if not movie:
            return await self._reader.revision(), None
        kind = isinstance(movie, str), request.with_images, request.with_cast
        batch = self._open.get(kind)
        if batch is None or len(batch.movies) >= _MOST_MOVIES:
            batch = self._open[kind] = _Batch(kind)
        batch.movies.append(movie)
        revision, found = await self._reader.share(batch, partial(self._read, batch))
        return revision, found.get(movie)

    async def _read(self, batch: _Batch) -> tuple[str, _Found]:
        async with self._turns:
            try:
                return await self._reader.run_prepared(partial(self._read_closed, batch))
            finally:
                self._close(batch)

    async def _read_closed(self, batch: _Batch, reading: Reading) -> tuple[str, _Found]:
        self._close(batch)
        _, with_images, with_cast = batch.kind
        movies = batch.movies
        return await read_details(reading, movies, with_images=with_images, with_cast=with_cast)

    def _close(self, batch: _Batch) -> None:
        """Let later requests begin another batch."""
        if self._open.get(batch.kind) is batch:
            del self._open[batch.kind]
