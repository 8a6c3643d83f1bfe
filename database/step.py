"""
`Step`, `save_step`: save movies, failures, other findings and counters in one transaction.

The only place where fetched movies are committed. A step may be repeated: saving
twice equals saving once.
"""

from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Self

from sqlalchemy.orm import Session

from database.bookkeeping.failures import Failure, clear_failures, record_failures
from database.bookkeeping.listed_movies import (
    forget_listed,
    note_listed,
    note_searched,
    note_shown,
)
from database.bookkeeping.missing import (
    ANY_READING,
    DenialContext,
    clear_missing,
    find_contradictions,
    record_missing,
)
from database.bookkeeping.runs import add_to_run
from database.bookkeeping.sweep_state import note_recheck
from database.db import DatabaseManager
from database.errors import RowRefused
from database.writing.movies import Outcome, save_movies
from yts.payload import MoviePayload
from yts.settings import MOVIES_PER_PAGE


@dataclass(frozen=True, slots=True)
class SweptPage:
    """A list page as the sweep reads it, in the page size that the source gives."""

    #: YTS ids of its movies, malformed rows included.
    ids: tuple[int, ...]
    page: int
    #: Number of the reading that the page belongs to.
    reading: int
    #: Movies a page.
    size: int = MOVIES_PER_PAGE


@dataclass(frozen=True, slots=True)
class Step:
    """Everything that one transaction saves."""

    movies: tuple[MoviePayload, ...] = ()
    #: YTS ids of those whose details are part of them.
    detailed: frozenset[int] = frozenset()
    #: Write changes of stored movies, instead of skipping them.
    update: bool = False
    #: When the oldest of its responses was requested, by the clock of the database; None means now.
    asked_at: datetime | None = None
    #: Ids that YTS denies, and the facts that decide whether that is believed.
    missing: tuple[int, ...] = ()
    denial_context: DenialContext = ANY_READING
    #: The list does not name these movies: record that YTS has them nevertheless.
    is_unlisted: bool = False
    #: A search of the list was made for these movies.
    searched: tuple[int, ...] = ()
    #: YTS denies these movies, and a search of the list does not find them.
    delisted: tuple[int, ...] = ()
    #: Record that the sweep has seen the movies on these pages.
    swept: tuple[SweptPage, ...] = ()
    failures: tuple[Failure, ...] = ()
    #: Ledger keys of pages that were read without an error.
    pages_read: tuple[str, ...] = ()
    #: Number of known movies that were skipped before any fetch.
    skipped: int = 0
    #: Other counters of the run, such as requests.
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """Number of movies for each outcome, and the failures."""

    outcomes: Counter[str]
    failures: tuple[Failure, ...]
    #: Missing movies that the list names, or may name. They were neither recorded nor counted.
    contradicted: frozenset[int] = frozenset()
    doubtful: frozenset[int] = frozenset()
    #: The lowest other page on which the same reading saw a movie of this one.
    moved_from: int | None = None

    def __add__(self, other: Self) -> Self:
        """Join the results of two parts of one step."""
        pages = [page for page in (self.moved_from, other.moved_from) if page is not None]
        return type(self)(
            self.outcomes + other.outcomes,
            self.failures + other.failures,
            self.contradicted | other.contradicted,
            self.doubtful | other.doubtful,
            min(pages, default=None),
        )


def save_step(db: DatabaseManager, run_id: int | None, step: Step) -> StepResult:
    """
    Save *step* in one transaction, with the counters of the run, if there is one.

    A movie that PostgreSQL refuses becomes a failure in the ledger; the other movies of the step
    are saved. The step is repeated for a minute if an error is transient.

    Raises:
        DatabaseNotReady: an error that no single movie causes.
    """
    try:
        return db.run_transaction(lambda session: _save(session, run_id, step))
    except RowRefused as refused:
        if not step.movies:
            raise
        if len(step.movies) == 1:
            return save_step(db, run_id, _with_refusal(step, refused))
    # Everything except the movies is saved with the first half.
    middle = len(step.movies) // 2
    rest = replace(
        step,
        movies=step.movies[middle:],
        missing=(),
        searched=(),
        delisted=(),
        failures=(),
        pages_read=(),
        skipped=0,
        counters={},
    )
    first = save_step(db, run_id, replace(step, movies=step.movies[:middle]))
    return first + save_step(db, run_id, rest)


def _with_refusal(step: Step, refused: RowRefused) -> Step:
    key = str(step.movies[0].id)
    refusal = Failure("movie", key, "save", refused.error_class, refused.message[:500])
    return replace(step, movies=(), failures=(*step.failures, refusal))


def _save(session: Session, run_id: int | None, step: Step) -> StepResult:
    saved = save_movies(
        session,
        step.movies,
        detailed=step.detailed,
        update=step.update,
        asked_at=step.asked_at,
    )
    named, doubtful, missing = _judge_missing(session, step)
    moved_from = _note_seen(session, step, saved)
    _write_ledger(session, step, saved, missing)
    outcomes = Counter[str](saved.values()) + Counter(
        skipped=step.skipped, missing=len(missing), failed=len(step.failures)
    )
    if run_id is not None:
        counters = Counter(step.counters) + outcomes
        add_to_run(session, run_id, {**counters, "planned": outcomes.total()})
    return StepResult(outcomes, step.failures, frozenset(named), frozenset(doubtful), moved_from)


def _judge_missing(session: Session, step: Step) -> tuple[set[int], set[int], set[int]]:
    """Return which missing ids the list names, which it may name, and which are missing."""
    if step.delisted:
        forget_listed(session, step.delisted)
    named, doubtful = set[int](), set[int]()
    if step.missing:
        first_reading = step.denial_context.first_reading
        named, doubtful = find_contradictions(session, step.missing, first_reading)
        doubtful -= set(step.delisted)
    return named, doubtful, set(step.missing) - named - doubtful


def _note_seen(session: Session, step: Step, saved: Mapping[int, Outcome]) -> int | None:
    if step.is_unlisted and saved:
        note_shown(session, saved)
    if step.searched:
        note_searched(session, step.searched)
    pages = [note_listed(session, page.ids, page.page, page.reading) for page in step.swept]
    moved_from = min((page for page in pages if page is not None), default=None)
    if moved_from is not None:
        # In the same transaction, so that a kill at this point does not lose the record.
        size = step.swept[0].size
        note_recheck(session, (moved_from - 1) * size // MOVIES_PER_PAGE + 1)
    return moved_from


def _write_ledger(
    session: Session, step: Step, saved: Mapping[int, Outcome], missing: Collection[int]
) -> None:
    # A list page that names a known movie says nothing about details that failed.
    settled = [id_ for id_, outcome in saved.items() if id_ in step.detailed or outcome == "saved"]
    failed_pages = {failure.key for failure in step.failures if failure.kind == "page"}
    clear_failures(session, movies=[*settled, *missing], pages=set(step.pages_read) - failed_pages)
    if saved:
        clear_missing(session, saved)
    if missing:
        record_missing(session, missing, step.denial_context.origin)
    record_failures(session, step.failures)
