"""`BatchReport`, `PageReport`, `RunReport`: results of batches and runs, as frozen values."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Self

from database.bookkeeping.failures import Failure
from ingest.plan import ListPage
from ingest.stop import StopReason
from yts.settings import MOVIES_PER_PAGE
from yts.unknown_fields import add_counts


@dataclass(frozen=True, slots=True)
class Counts:
    """Number of movies for each outcome; `planned` is always the sum of the others."""

    #: New rows.
    saved: int = 0
    #: Rows that changed, or that were completed by their details.
    updated: int = 0
    #: Compared with the response, and equal.
    unchanged: int = 0
    #: Already stored, and not compared.
    skipped: int = 0
    #: YTS says that it has no such movie.
    missing: int = 0
    #: Recorded in the ledger; a page that could not be read counts as one movie.
    failed: int = 0

    @property
    def planned(self) -> int:
        """Return the total number of movies handled."""
        return sum(getattr(self, outcome.name) for outcome in fields(self))

    def __add__(self, other: Self) -> Self:
        """Return the sums, outcome by outcome."""
        return type(self)(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self))
        )

    @classmethod
    def of(cls, outcomes: Counter[str]) -> Self:
        """Return the counts of the names of outcomes."""
        return cls(**dict(outcomes))


@dataclass(frozen=True, slots=True)
class PageReport:
    """The contents of one list page, to plan the next pages."""

    page: int
    #: The count of the whole catalogue in this response: an estimate.
    movie_count: int
    #: Number of rows, including repeated and malformed ones.
    rows: int
    #: Equal for pages with the same movies in the same order; None if no row has a readable id.
    digest: int | None = None
    #: A movie came twice on this page, perhaps instead of another one.
    has_repeats: bool = False
    #: Movies on a full page.
    size: int = MOVIES_PER_PAGE
    #: Rows are missing by the count of this response or, if *is_collapsed*, of an earlier one.
    is_doubtful: bool = False
    is_collapsed: bool = False

    @property
    def key(self) -> str:
        """Return the name of the page in the ledger."""
        return ListPage(self.page, size=self.size).key

    @property
    def shortness(self) -> str:
        """Return how many rows the page lacks, for the user."""
        return f"it came with {self.rows} of {self.size} rows"


@dataclass(frozen=True, slots=True)
class BatchReport:
    """The result of one batch; a batch that was stopped reports the part that it did."""

    counts: Counts = Counts()
    requests: int = 0
    failures: tuple[Failure, ...] = ()
    #: Movies that the list names and YTS denies; they are not recorded yet.
    contradicted: frozenset[int] = frozenset()
    #: Movies that YTS denies and that the list may name, as it did in an earlier run.
    doubtful: frozenset[int] = frozenset()
    pages: tuple[PageReport, ...] = ()
    #: Movies of *pages* whose details were requested with them.
    joined: int = 0
    #: Unknown fields in responses, with the number of movies that had them.
    unknown_fields: Counter[str] = field(default_factory=Counter)
    #: Why no more requests should be made; None if requests may continue.
    stop_reason: StopReason | None = None

    def __add__(self, other: Self) -> Self:
        """Return the joined reports of two parts of the same work."""
        return type(self)(
            self.counts + other.counts,
            self.requests + other.requests,
            self.failures + other.failures,
            self.contradicted | other.contradicted,
            self.doubtful | other.doubtful,
            self.pages + other.pages,
            self.joined + other.joined,
            add_counts(self.unknown_fields, other.unknown_fields),
            self.stop_reason or other.stop_reason,
        )


@dataclass(frozen=True, slots=True)
class RunReport:
    """The result of a whole run."""

    exit_code: int
    #: Message for the user: why the run ended before its work was done; None if it was done.
    ended_early: str | None
    counts: Counts
    requests: int
    pages_read: int
    seconds: float
    #: The first failures; the ledger has all of them.
    failures: tuple[Failure, ...]
    unknown_fields: Counter[str]
    #: Every list page that this run had to read was read and saved.
    is_sweep_complete: bool = True
    #: The mirror has everything that the source has, as far as this run could see; see `Owed`.
    is_complete: bool = False
    #: Why the mirror is not complete although the run ended; None if it is complete.
    work_left: str | None = None
    #: Movies that the list did not name and that were found by their ids.
    found_by_audit: int = 0

    @classmethod
    def of_nothing(cls, reason: StopReason) -> Self:
        """Return the report of a run that ended before it began."""
        return cls(reason.exit_code, reason.reason, Counts(), 0, 0, 0.0, (), Counter())
