"""`PageBatch`, `MovieBatch`, `SearchBatch`: work for the workers, cut into batches; no I/O."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice, repeat, takewhile
from typing import Self, TypeVar

from database.bookkeeping.missing import ANY_READING, DenialContext
from yts.settings import MOVIES_PER_PAGE, Order

Item = TypeVar("Item")

#: Longest time of a batch at the pace of the request budget, in seconds.
SECONDS_PER_BATCH = 10.0
#: The same for pages of the list: the run learns from each page which one is the last.
SECONDS_PER_PAGE_BATCH = 1.0


@dataclass(frozen=True, slots=True)
class ListPage:
    """One page of the list, to be requested."""

    #: Counted from 1.
    page: int
    update: bool = False
    #: Page size in movies; *page* counts pages of this size.
    size: int = MOVIES_PER_PAGE
    #: Number of the reading that the page belongs to; None if it is not part of the sweep.
    reading: int | None = None
    #: The count of YTS in an earlier response: a page within this count cannot be empty.
    movie_count: int = 0
    #: By time of addition: `asc` begins with the oldest movies.
    order: Order = "asc"

    @property
    def key(self) -> str:
        """Return the name of this page in the ledger: `12`, or `12/20` for pages of 20 movies."""
        return str(self.page) if self.size == MOVIES_PER_PAGE else f"{self.page}/{self.size}"

    @classmethod
    def of_key(cls, key: str) -> Self:
        """Return the page of this name in the ledger."""
        page, _, size = key.partition("/")
        return cls(int(page), size=int(size or MOVIES_PER_PAGE))


@dataclass(frozen=True, slots=True)
class PageBatch:
    """List pages for one worker, which requests them at the same time."""

    pages: tuple[ListPage, ...]
    #: Fetch the details of movies that lack them too, and save them together with their page.
    with_details: bool = False

    @property
    def in_words(self) -> str:
        """Return what a worker is doing, as the monitor shows it."""
        first, last = self.pages[0].page, self.pages[-1].page
        pages = f"page {first:,}" if first == last else f"pages {first:,} to {last:,}"
        return f"{pages} of the list{' with details' if self.with_details else ''}"


@dataclass(frozen=True, slots=True)
class MovieBatch:
    """Movies for one worker to fetch by their details."""

    ids: tuple[int, ...]
    #: Fetch stored movies too, and write their changes.
    update: bool = False
    #: The ids come from the tables, so the worker need not check whether they are known.
    is_known: bool = False
    #: The list does not name them.
    is_unlisted: bool = False
    #: Facts that decide whether the run believes a denial.
    denial_context: DenialContext = ANY_READING

    @property
    def in_words(self) -> str:
        """Return what a worker is doing, as the monitor shows it."""
        return f"details of {len(self.ids):,} movies, from {min(self.ids, default=0)} on"


@dataclass(frozen=True, slots=True)
class SearchBatch:
    """Movies for one worker to search in the list, by their IMDb codes."""

    ids: tuple[int, ...]
    #: The code of each of *ids*.
    imdb_codes: tuple[str, ...]
    denial_context: DenialContext
    #: YTS denies these movies: the search shows whether the list still names them.
    is_denied: bool = False

    @property
    def in_words(self) -> str:
        """Return what a worker is doing, as the monitor shows it."""
        return f"searches of {len(self.ids):,} movies, from {min(self.ids, default=0)} on"


Batch = PageBatch | MovieBatch | SearchBatch


def plan_page_batches(
    pages: Iterable[ListPage], sizes: Iterable[int] = repeat(1), *, with_details: bool = False
) -> Iterator[PageBatch]:
    """Yield *pages* in batches of *sizes*, in their order; take them only as needed."""
    return (PageBatch(batch, with_details) for batch in _cut(pages, sizes))


def plan_movie_batches(
    ids: Iterable[int], sizes: Iterable[int], kind: MovieBatch = MovieBatch(())
) -> Iterator[MovieBatch]:
    """Yield *ids* in batches of *sizes*, in their order, otherwise like *kind*."""
    return (replace(kind, ids=batch) for batch in _cut(ids, sizes))


def _cut(items: Iterable[Item], sizes: Iterable[int]) -> Iterator[tuple[Item, ...]]:
    remaining = iter(items)
    parts = (tuple(islice(remaining, size)) for size in sizes)
    return takewhile(bool, parts)


def plan_search_batches(
    movies: Sequence[tuple[int, str]], batch_size: int, kind: SearchBatch
) -> Iterator[SearchBatch]:
    """Yield *movies*, pairs of YTS id and IMDb code, in batches, otherwise like *kind*."""
    for begin in range(0, len(movies), batch_size):
        ids, codes = zip(*movies[begin : begin + batch_size], strict=True)
        yield replace(kind, ids=ids, imdb_codes=codes)


def choose_batch_sizes(
    most: int,
    *,
    workers: int,
    expected: int,
    rate: float,
    seconds: float = SECONDS_PER_BATCH,
    least: int = 1,
) -> Iterator[int]:
    """
    Yield sizes of batches for *expected* movies or pages, and for more, each at most *most*.

    A batch is at most the share of a worker in what is left, and at least *least*: so they become
    smaller, and all workers are busy to the end. A batch takes at most about *seconds* at *rate*
    requests a second for all workers (0 means no limit), because it reports only when it is done.
    """
    if rate:
        most = min(most, int(rate * seconds / workers))
    while True:
        size = max(1, min(most, max(least, -(-expected // workers))))
        yield size
        expected = max(0, expected - size)


def split_batch(batch: Batch) -> list[Batch]:
    """Return a batch for each page or movie of *batch*; its pages without details, as suspects."""
    if isinstance(batch, PageBatch):
        return [PageBatch((page,)) for page in batch.pages]
    if isinstance(batch, SearchBatch):
        pairs = zip(batch.ids, batch.imdb_codes, strict=True)
        return [replace(batch, ids=(id_,), imdb_codes=(code,)) for id_, code in pairs]
    return [replace(batch, ids=(movie_id,)) for movie_id in batch.ids]
