"""`Sweep`: which list pages one reading requests next, and when the end is reached; no I/O."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ingest.report import PageReport
from ingest.settings import RunSettings
from yts.settings import MOVIES_PER_PAGE

#: Known pages that are read again where a sweep continues: the order of the list has small
#: exceptions, and removed movies shift the rest towards the front.
PAGES_READ_AGAIN = 2


def last_page(movie_count: int, size: int = MOVIES_PER_PAGE) -> int:
    """Return the number of the last page of *movie_count* movies; an empty list has none."""
    return -(-movie_count // size)


def convert_page(page: int, size: int, new_size: int) -> int:
    """Return the page of *new_size* movies on which the first row of page *page* of *size* is."""
    return (page - 1) * size // new_size + 1


@dataclass(frozen=True, slots=True)
class SweepStart:
    """Where a run continues the sweep; pages in units of `MOVIES_PER_PAGE`."""

    #: The first page that was not read yet; 1 begins a sweep of the whole list.
    next_page: int
    #: Whether the sweep writes changes of stored movies.
    is_updating: bool = False

    @property
    def first_page(self) -> int:
        """Return the page with which the run begins: some known pages are read again."""
        return max(1, self.next_page - PAGES_READ_AGAIN)


def plan_sweep(
    settings: RunSettings,
    *,
    next_page: int = 1,
    recheck_page: int | None = None,
    is_whole: bool = False,
    is_updating: bool = False,
    is_whole_due: bool = False,
) -> SweepStart:
    """
    Return where a run with *settings* begins, given the row of `sync_state`.

    *is_whole*: a sweep of the whole list is under way; *is_updating*: it also updates;
    *is_whole_due*: the whole list has to be read again in any case.
    """
    if (settings.update and not is_updating) or (settings.full and not is_whole) or is_whole_due:
        return SweepStart(1, settings.update or is_updating)
    return SweepStart(min(next_page, recheck_page or next_page), settings.update or is_updating)


class Sweep:
    """
    One reading of the list from *start_page* on, oldest movies first, page by page.

    Pages may come in any order; they are judged in the order of their numbers. A page counts as
    read when it has *size* rows. A page with fewer rows is the end if the next page is empty, and a
    failure if the next page has rows. The count of YTS plans requests, and never ends the reading.
    """

    def __init__(
        self,
        start_page: int,
        next_page: int,
        max_pages: int | None = None,
        size: int = MOVIES_PER_PAGE,
    ) -> None:
        """Read at most *max_pages* pages, not counting those before *next_page*."""
        self.size = size
        self._start_page = self._front = self._counted_up_to = start_page
        self._planned_up_to = start_page
        self._known_up_to = next_page - 1
        self._last_allowed = float("inf") if max_pages is None else next_page + max_pages - 1
        self._pages: dict[int, PageReport] = {}
        #: Pages with fewer rows than a page has: the end, or failures.
        self._short: set[int] = set()
        #: The first page with these rows, by digest.
        self._page_of: dict[int | None, int] = {}
        #: The count of YTS on the last page in order.
        self.movie_count = 0
        #: From this page on rows may have moved: the count went down, or a page had a movie twice.
        self.recheck_page: int | None = None

    def record(self, page: PageReport) -> None:
        """Learn from a page that was read and saved."""
        self._pages[page.page] = page
        self._page_of.setdefault(page.digest, page.page)
        (self._short.discard if page.rows >= self.size else self._short.add)(page.page)
        self._planned_up_to = max(self._planned_up_to, page.page)
        while (counted := self._pages.get(self._counted_up_to)) is not None:
            has_moved = counted.movie_count < self.movie_count or counted.has_repeats
            if has_moved and self.recheck_page is None:
                self.recheck_page = self._counted_up_to
            self.movie_count = counted.movie_count
            self._counted_up_to += 1
        while self._rows(self._front) >= self.size:
            self._front += 1

    def plan(self) -> Iterator[int]:
        """
        Yield the pages to read next, one by one: to the end by YTS's count, or one beyond.

        Pages that are recorded meanwhile count: nothing after an end that was seen is planned.
        """
        last = min(self._planned_up_to + max(1, self.pages_ahead), self._last_allowed)
        while True:
            page, end = self._planned_up_to + 1, self._end_seen()
            if page > (last if end is None else end):
                return
            self._planned_up_to = page
            yield page

    @property
    def pages_ahead(self) -> int:
        """Return how many pages are left to plan, by the count of YTS."""
        return max(0, last_page(self.movie_count, self.size) - self._planned_up_to)

    def _end_seen(self) -> int | None:
        """Return the empty page after the end, seen or expected; None if no page is short."""
        # A short page before others with rows is not the end, but a failure.
        first = min((page for page in self._short if self._rows(page + 1) <= 0), default=None)
        if first is None:
            return None
        return first + 1 if self._rows(first) else first

    def _rows(self, page: int) -> int:
        report = self._pages.get(page)
        return -1 if report is None else report.rows

    def repeated_page(self, page: PageReport) -> int | None:
        """Return another page with the same rows, if any: then paging does not work."""
        other = self._page_of.get(page.digest, page.page)
        return None if other == page.page or page.digest is None else other

    @property
    def ending(self) -> list[PageReport]:
        """Return the pages that show the end: a short and an empty one, or only the empty one."""
        end = self._pages.get(self._front)
        if end is None or (end.rows and self._rows(end.page + 1)):
            return []
        return [end, self._pages[end.page + 1]] if end.rows else [end]

    @property
    def rows_to_end(self) -> int:
        """Return how many rows the list has up to the end that was seen."""
        end = self.ending[0]
        return (end.page - 1) * self.size + end.rows

    @property
    def is_end_doubtful(self) -> bool:
        """Return whether YTS counts more movies than there are up to the end."""
        return any(page.is_doubtful for page in self.ending)

    @property
    def is_complete(self) -> bool:
        """Return whether all pages to the end of the list were read, and the end was confirmed."""
        return bool(self.ending) and not any(page.is_collapsed for page in self.ending)

    @property
    def short_pages(self) -> list[PageReport]:
        """Return pages that certainly lack rows: others follow, or YTS counted more before."""
        short = (self._pages[page] for page in sorted(self._short))
        return [page for page in short if self._rows(page.page + 1) > 0 or page.is_collapsed]

    @property
    def digests(self) -> Mapping[int, int | None]:
        """Return a digest of the rows of each page."""
        return {page.page: page.digest for page in self._pages.values()}

    @property
    def next_page(self) -> int:
        """Return the page where the sweep continues: one that failed or may get more rows."""
        if self._front in self._pages:
            return self._front
        return max(self._front, self._known_up_to + 1)

    @property
    def pages_expected(self) -> int:
        """Return how many pages there are to read, including the first, by the count of YTS."""
        last = min(last_page(self.movie_count, self.size), self._last_allowed)
        return int(max(1, last - self._start_page + 1))
