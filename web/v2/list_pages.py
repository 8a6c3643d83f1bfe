"""`ListPages`: pages of lists; a list that is read to its end is kept as ids in memory."""

from array import array
from collections import OrderedDict
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial

from database.serving.prepared import Reading
from database.serving.yts_lists import YtsList
from database.serving.yts_reads import read_ids, read_page_ids
from web.reader import CatalogueReader
from web.v2.movie_store import KeptMovie, MovieStore

#: PostgreSQL passes the ids before a page. In the time for that many, it reads all ids of a list.
_WHOLE_LIST = 100_000
#: Lists that are kept, each with four bytes for a movie.
_LISTS = 16


@dataclass(frozen=True, slots=True)
class Page:
    """A page of a list."""

    movie_count: int
    movies: list[KeptMovie]


@dataclass(slots=True)
class _KeptList:
    """A list at one revision."""

    revision: str
    #: None if only pages of it were read.
    ids: "array[int] | None" = None
    #: The ids that PostgreSQL has passed for pages of it.
    passed: int = 0


class ListPages:
    """Reads pages; the kept ids are used while no row changes."""

    def __init__(self, reader: CatalogueReader, movies: MovieStore) -> None:
        """Read with *reader*, and keep the movies of pages in *movies*."""
        self._reader = reader
        self._movies = movies
        self._lists: OrderedDict[YtsList, _KeptList] = OrderedDict()
        reader.forgetting.append(self._lists.clear)

    async def read(self, wanted: YtsList, limit: int, offset: int) -> tuple[str, Page]:
        """Return the revision of a page, and the page."""
        kept = self._lists.get(wanted)
        if kept is not None and kept.passed >= _WHOLE_LIST:
            kept = await self._read_list(wanted, kept)
        if kept is not None and kept.ids is not None:
            ids = kept.ids[offset : offset + limit].tolist()
            current = self._movies.find_current(ids, kept.revision)
            if current is not None:
                return kept.revision, Page(len(kept.ids), current)
            read = partial(self._movies.read, ids=ids)
            revision, movies = await self._reader.run_prepared(read)
            if revision == kept.revision:
                return revision, Page(len(kept.ids), movies)
        read_page = partial(self._read_page, wanted, limit, offset)
        revision, page = await self._reader.run_prepared(read_page)
        if kept is None or kept.revision != revision:
            kept = self._keep(wanted, _KeptList(revision))
        kept.passed += offset + limit if wanted.is_indexed else _WHOLE_LIST
        return revision, page

    async def _read_list(self, wanted: YtsList, kept: _KeptList) -> _KeptList | None:
        """Return the whole list, which is worth its costs; None if a row has changed."""
        if kept.revision != await self._reader.revision():
            return None
        if kept.ids is None:
            read = partial(self._reader.run_prepared, partial(read_ids, wanted=wanted))
            revision, ids = await self._reader.share(wanted, read)
            return self._keep(wanted, _KeptList(revision, ids, _WHOLE_LIST))
        self._lists.move_to_end(wanted)
        return kept

    def _keep(self, wanted: YtsList, kept: _KeptList) -> _KeptList:
        self._lists[wanted] = kept
        self._lists.move_to_end(wanted)
        if len(self._lists) > _LISTS:
            self._lists.popitem(last=False)
        return kept

    async def _read_page(
        self, wanted: YtsList, limit: int, offset: int, reading: Reading
    ) -> tuple[str, Page]:
        # Changes of a movie change neither its place in this list nor its number.
        async with nullcontext() if wanted.is_indexed else reading.one_snapshot():
            page = await read_page_ids(reading, wanted, limit=limit, offset=offset)
            movies = self._movies.find_current(page.ids, page.revision)
            if movies is None:
                _, movies = await self._movies.read(reading, page.ids)
        return page.revision, Page(page.movie_count, movies)
