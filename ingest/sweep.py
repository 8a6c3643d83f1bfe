"""Which list pages a sweep reads next, and how far it can be relied on; pure."""

from ingest.report import PageReport
from yts.settings import MOVIES_PER_PAGE


def last_page(movie_count: int) -> int:
    """Return the number of the last page of so many movies; an empty list has none."""
    return -(-movie_count // MOVIES_PER_PAGE)


def is_end(page: PageReport) -> bool:
    """
    Tell whether the list ends with this page.

    A page that is not full is no end while YTS counts more: it may repeat a movie.
    """
    return page.is_past_end or (not page.is_full and page.page >= last_page(page.movie_count))


class Sweep:
    """
    A reading of the list from *start_page* on, oldest movies first, page by page.

    Pages may come in any order; they are judged in that of their numbers. The end
    is where the list ends, not where YTS's count says: it is an estimate.
    """

    def __init__(self, start_page: int, next_page: int, max_pages: int | None) -> None:
        """Read *max_pages* pages at the most, beside those before *next_page*, read again."""
        self._start_page = self._planned_up_to = start_page
        self._known_up_to = next_page - 1
        self._last_allowed = float("inf") if max_pages is None else next_page + max_pages - 1
        #: Pages that came before their turn, with what YTS counted then.
        self._waiting: dict[int, int] = {}
        self._front = start_page
        self._end_page: int | None = None
        #: What YTS counted on the last page before the front.
        self.movie_count = 0
        #: From here on movies may have moved to pages read before, for others were removed.
        self.recheck_page: int | None = None

    def take(self, page: PageReport) -> None:
        """Learn from a page that was read and saved."""
        if is_end(page):
            self._end_page = min(page.page, self._end_page or page.page)
        self._planned_up_to = max(self._planned_up_to, page.page)
        self._waiting[page.page] = page.movie_count
        while self._front in self._waiting:
            count = self._waiting.pop(self._front)
            if count < self.movie_count and self.recheck_page is None:
                self.recheck_page = self._front
            self.movie_count = count
            self._front += 1

    def plan(self) -> range:
        """Return the pages to read next: to the end as far as it is known, or one beyond."""
        first = self._planned_up_to + 1
        last = first - 1 if self._end_page else max(first, last_page(self.movie_count))
        last = int(min(last, self._last_allowed))
        self._planned_up_to = max(self._planned_up_to, last)
        return range(first, last + 1)

    @property
    def next_page(self) -> int:
        """Return where another sweep goes on: with a page that failed, or one that may grow."""
        front = max(self._front, self._known_up_to + 1)
        return min(front, self._end_page or front)

    @property
    def pages_expected(self) -> int:
        """Return how many pages there are to read, the first included, by YTS's count."""
        last = min(last_page(self.movie_count), self._last_allowed)
        return int(max(1, last - self._start_page + 1))

    @property
    def is_complete(self) -> bool:
        """Tell whether the end was seen and no page before it is lacking."""
        return self._end_page is not None and self._front > self._planned_up_to
