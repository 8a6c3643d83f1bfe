"""`ListPages`: pages of lists; a list that is read to its end is kept as ids in memory."""

from array import array
from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock

from database.serving.prepared import Reading
from database.serving.yts_lists import YtsList
from database.serving.yts_reads import Page, read_ids, read_movies, read_page

#: PostgreSQL reads the ids before a page, too: for pages further down, lists are kept.
_FAR_DOWN = 1000
#: Lists that are kept, each with four bytes for a movie.
_LISTS = 16


@dataclass(frozen=True, slots=True)
class _KeptList:
    """The revision that a list was read at, and its ids; None if only one page of it was read."""

    revision: str
    ids: "array[int] | None" = None


class ListPages:
    """Reads pages on any thread; the kept ids are used while no row changes."""

    def __init__(self) -> None:
        self._lists: OrderedDict[YtsList, _KeptList] = OrderedDict()
        #: Lists that a thread is reading: others read single pages meanwhile.
        self._under_way: set[YtsList] = set()
        self._lock = Lock()

    def read(self, reading: Reading, wanted: YtsList, limit: int, offset: int) -> Page:
        """Return a page as `read_page` does."""
        if offset < _FAR_DOWN:
            return read_page(reading, wanted, limit=limit, offset=offset)
        kept = self._get(wanted)
        if kept is not None and kept.ids is None and kept.revision == reading.read_revision():
            # The second page far down at one revision: probably all others follow.
            kept = self._read_all(reading, wanted) or kept
        if kept is not None and kept.ids is not None:
            page = _page_of(reading, kept.ids, limit, offset)
            if page.revision == kept.revision:
                return page
        page = read_page(reading, wanted, limit=limit, offset=offset)
        current = self._get(wanted)
        if current is None or current.revision != page.revision:
            self._put(wanted, _KeptList(page.revision))
        return page

    def _read_all(self, reading: Reading, wanted: YtsList) -> _KeptList | None:
        """Return the whole list; None if another thread is reading it."""
        with self._lock:
            if wanted in self._under_way:
                return None
            self._under_way.add(wanted)
        try:
            kept = _KeptList(*read_ids(reading, wanted))
            self._put(wanted, kept)
        finally:
            with self._lock:
                self._under_way.discard(wanted)
        return kept

    def _get(self, wanted: YtsList) -> _KeptList | None:
        with self._lock:
            if wanted in self._lists:
                self._lists.move_to_end(wanted)
            return self._lists.get(wanted)

    def _put(self, wanted: YtsList, kept: _KeptList) -> None:
        with self._lock:
            self._lists[wanted] = kept
            self._lists.move_to_end(wanted)
            if len(self._lists) > _LISTS:
                self._lists.popitem(last=False)


def _page_of(reading: Reading, ids: "array[int]", limit: int, offset: int) -> Page:
    wanted = ids[offset : offset + limit].tolist()
    revision, movies = read_movies(reading, wanted) if wanted else (reading.read_revision(), [])
    return Page(revision, len(ids), movies)
