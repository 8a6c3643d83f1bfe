"""
One durable step: some movies, what was learnt beside them, and the counters, in one transaction.

The only place where fetched movies are committed. A step may be repeated: saving
twice equals saving once.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime

from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.errors import RowRefused
from database.ledger import (
    Failure,
    clear_failures,
    clear_missing,
    record_failures,
    record_missing,
)
from database.runs import add_to_run
from database.sync import clear_gone, mark_gone, note_listed
from database.write import Outcome, save_movies
from yts.payload import MoviePayload


@dataclass(frozen=True, slots=True)
class Step:
    """What one transaction is to make durable."""

    movies: tuple[MoviePayload, ...] = ()
    #: From details answers, not from a list page.
    has_details: bool = False
    #: Write what changed, instead of leaving stored movies alone.
    update: bool = False
    #: When the oldest of its answers was asked for; None: just now.
    asked_at: datetime | None = None
    #: Ids that YTS says it does not have.
    missing: tuple[int, ...] = ()
    #: Those of the missing that a complete sweep has not seen either.
    gone: tuple[int, ...] = ()
    #: Remember that the sweep has seen these movies.
    is_sweep: bool = False
    failures: tuple[Failure, ...] = ()
    #: Ledger keys of pages that were read well.
    pages_read: tuple[str, ...] = ()
    #: Known movies that were left alone before any fetch.
    skipped: int = 0
    #: Further counters of the run, such as requests.
    counters: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StepResult:
    """How many movies came to which outcome, and what could not be saved."""

    outcomes: Counter[str]
    failures: tuple[Failure, ...]


def save_step(db: DatabaseManager, run_id: int | None, step: Step) -> StepResult:
    """
    Make *step* durable, together with the counters of the run, if there is one.

    A movie that PostgreSQL refuses becomes a failure in the ledger; the others of
    the step are saved. Transient errors are waited out for a minute.

    Raises:
        DatabaseNotReady: an error that is no single movie's fault.
    """
    try:
        return db.run_step(lambda session: _save(session, run_id, step))
    except RowRefused as refused:
        if not step.movies:
            raise
        if len(step.movies) == 1:
            return save_step(db, run_id, _with_refusal(step, refused))
    # Everything but the movies goes with the first half.
    middle = len(step.movies) // 2
    rest = replace(
        step,
        movies=step.movies[middle:],
        missing=(),
        gone=(),
        failures=(),
        pages_read=(),
        skipped=0,
        counters={},
    )
    first = save_step(db, run_id, replace(step, movies=step.movies[:middle]))
    second = save_step(db, run_id, rest)
    return StepResult(first.outcomes + second.outcomes, first.failures + second.failures)


def _with_refusal(step: Step, refused: RowRefused) -> Step:
    key = str(step.movies[0].id)
    refusal = Failure("movie", key, "save", refused.error_class, refused.gist[:500])
    return replace(step, movies=(), failures=(*step.failures, refusal))


def _save(session: Session, run_id: int | None, step: Step) -> StepResult:
    saved = save_movies(
        session,
        step.movies,
        has_details=step.has_details,
        update=step.update,
        asked_at=step.asked_at,
    )
    _write_ledger(session, step, saved)
    outcomes = Counter[str](saved.values()) + Counter(
        skipped=step.skipped, missing=len(step.missing), failed=len(step.failures)
    )
    if run_id is not None:
        counters = Counter(step.counters) + outcomes
        add_to_run(session, run_id, {**counters, "planned": outcomes.total()})
    return StepResult(outcomes, step.failures)


def _write_ledger(session: Session, step: Step, saved: Mapping[int, Outcome]) -> None:
    # A list page that names a known movie says nothing about details that failed or are missing.
    settled = [id_ for id_, outcome in saved.items() if step.has_details or outcome == "saved"]
    if settled:
        clear_missing(session, settled)
        clear_failures(session, "movie", settled)
    if saved:
        clear_gone(session, saved)
    if step.is_sweep:  # One that cannot be read is on the list all the same.
        unread = [int(it.key) for it in step.failures if it.kind == "movie"]
        note_listed(session, {*saved, *unread})
    if step.gone:
        mark_gone(session, step.gone)
    if step.missing:
        record_missing(session, step.missing)
        clear_failures(session, "movie", step.missing)
    if cleared := set(step.pages_read) - {it.key for it in step.failures if it.kind == "page"}:
        clear_failures(session, "page", cleared)
    record_failures(session, step.failures)
