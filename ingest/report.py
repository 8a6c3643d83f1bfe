"""`BatchReport`, `PageReport`, `RunReport`: results of batches and runs, as frozen values."""

from collections import Counter
from dataclasses import dataclass, field, fields
from typing import Self

from database.bookkeeping.failures import Failure
from ingest.plan import PageBatch
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
    #: Compared with the response and found equal.
    unchanged: int = 0
    #: Known, and left alone without a look.
    skipped: int = 0
    #: YTS says that it has no such movie.
    missing: int = 0
    #: In the ledger; a page that could not be read counts as one.
    failed: int = 0

    @property
    def planned(self) -> int:
        """Return how many were handled in all."""
        return sum(getattr(self, outcome.name) for outcome in fields(self))

    def __add__(self, other: Self) -> Self:
        """Add outcome by outcome."""
        return type(self)(
            *(getattr(self, field.name) + getattr(other, field.name) for field in fields(self))
        )

    @classmethod
    def of(cls, outcomes: Counter[str]) -> Self:
        """Count outcomes by their names."""
        return cls(**dict(outcomes))


@dataclass(frozen=True, slots=True)
class PageReport:
    """The contents of one list page, to plan the next pages."""

    page: int
    #: Movies in the whole catalogue, as this page says: an estimate.
    movie_count: int
    #: Rows that came, repeated and malformed ones included.
    rows: int
    #: Equal for pages with the same movies in the same order; None: no row says which it is.
    digest: int | None = None
    #: A movie came twice on this page, perhaps instead of another one.
    has_repeats: bool = False
    #: Movies on a full page.
    size: int = MOVIES_PER_PAGE
    #: Rows are lacking, by what YTS counts: on this page, or, if *is_collapsed*, before.
    is_doubtful: bool = False
    is_collapsed: bool = False

    @property
    def key(self) -> str:
        """Return the name of the page in the ledger."""
        return PageBatch(self.page, size=self.size).key

    @property
    def shortness(self) -> str:
        """Return how many rows the page lacks, for the user."""
        return f"it came with {self.rows} of {self.size} rows"


@dataclass(frozen=True, slots=True)
class BatchReport:
    """What came of one batch; a batch cut short by a stop reports what it did."""

    counts: Counts = Counts()
    requests: int = 0
    failures: tuple[Failure, ...] = ()
    #: Movies that the list names and YTS denies; nothing of them is recorded yet.
    contradicted: frozenset[int] = frozenset()
    #: Movies that YTS denies and that the list may name, as it did in an earlier run.
    doubtful: frozenset[int] = frozenset()
    pages: tuple[PageReport, ...] = ()
    #: Unknown fields in responses, with the number of movies that had them.
    unknown_fields: Counter[str] = field(default_factory=Counter)
    #: Why no more requests should be made; None if there is no reason.
    stop_reason: StopReason | None = None

    def __add__(self, other: Self) -> Self:
        """Join what came of two parts of the same work."""
        return type(self)(
            self.counts + other.counts,
            self.requests + other.requests,
            self.failures + other.failures,
            self.contradicted | other.contradicted,
            self.doubtful | other.doubtful,
            self.pages + other.pages,
            add_counts(self.unknown_fields, other.unknown_fields),
            self.stop_reason or other.stop_reason,
        )


@dataclass(frozen=True, slots=True)
class RunReport:
    """What came of a whole run."""

    exit_code: int
    #: Message for the user: why the run ended before its work was done; None if it did not.
    ended_early: str | None
    counts: Counts
    requests: int
    pages_read: int
    seconds: float
    #: The first ones; the ledger has them all.
    failures: tuple[Failure, ...]
    unknown_fields: Counter[str]
    #: Every list page that this run had to read was read and saved.
    is_sweep_complete: bool = True
    #: The mirror has all that the source has, as far as this run could see; see `Owed`.
    is_complete: bool = False
    #: Why the mirror is not complete although the run ended; None: it is complete.
    work_left: str | None = None
    #: Movies that the list did not name and that were found by their ids.
    found_by_audit: int = 0

    @classmethod
    def of_nothing(cls, reason: StopReason) -> Self:
        """Report a run that ended before it began."""
        return cls(reason.exit_code, reason.reason, Counts(), 0, 0, 0.0, (), Counter())
