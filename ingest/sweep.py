"""Which list pages a sweep reads next, and whether it was complete; pure."""

from collections.abc import Sequence

from ingest.report import PageReport
from yts.settings import MOVIES_PER_PAGE

#: Pages in a row that must hold nothing new before a newest-first reading believes that it
#: has caught up: the order of the list has small exceptions.
KNOWN_PAGES_TO_STOP = 2


def last_page(movie_count: int) -> int:
    """Return the number of the last page of so many movies; an empty list has none."""
    return -(-movie_count // MOVIES_PER_PAGE)


def is_end(page: PageReport) -> bool:
    """
    Tell whether the list ends with this page.

    A page that is not full is no end while YTS counts more: it may repeat a movie.
    """
    return page.is_past_end or (not page.is_full and page.page >= last_page(page.movie_count))


def is_caught_up(newest_first: Sequence[PageReport], watermark_movie_id: int) -> bool:
    """Tell whether a newest-first reading has reached what an earlier complete sweep saw."""
    tail = newest_first[-KNOWN_PAGES_TO_STOP:]
    return len(tail) == KNOWN_PAGES_TO_STOP and all(
        page.is_known and max(page.movie_ids, default=0) <= watermark_movie_id for page in tail
    )


class OldestFirst:
    """
    A sweep from the oldest movie on, page by page, in any order of completion.

    The end is where the list ends, not where YTS's count says: it is an estimate.
    """

    def __init__(self, start_page: int, max_pages: int | None) -> None:
        """Read *max_pages* pages at the most, from *start_page* on."""
        self._planned_up_to = start_page - 1
        self._limit = None if max_pages is None else start_page + max_pages - 1
        self._saved: set[int] = set()
        #: What YTS counted last.
        self.movie_count: int | None = None
        #: Movies that were on the list at some time of the sweep, as far as YTS's counts tell.
        self.movies_expected = 0
        self._has_ended = False
        #: The lowest page that is not saved yet; a page that failed holds it.
        self.next_page = start_page

    def take(self, page: PageReport) -> None:
        """Learn from a page that was read and saved."""
        before = 0 if self.movie_count is None else self.movie_count
        self.movies_expected += max(0, page.movie_count - before)
        self.movie_count = page.movie_count
        self._has_ended = self._has_ended or is_end(page)
        self._planned_up_to = max(self._planned_up_to, page.page)
        self._saved.add(page.page)
        while self.next_page in self._saved:
            self._saved.remove(self.next_page)
            self.next_page += 1

    def plan(self) -> range:
        """Return the pages to read next: to the end as far as it is known, or one beyond."""
        first = self._planned_up_to + 1
        last = first - 1 if self._has_ended else max(first, last_page(self.movie_count or 0))
        if self._limit is not None:
            last = min(last, self._limit)
        self._planned_up_to = max(self._planned_up_to, last)
        return range(first, last + 1)

    @property
    def is_complete(self) -> bool:
        """Tell whether the end was seen and no page before it is lacking."""
        return self._has_ended and self.next_page > self._planned_up_to
