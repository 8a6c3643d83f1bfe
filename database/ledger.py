"""
The memory of the mirroring: runs and their counters, failures, missing ids, the watermark.

Nothing here commits.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy import ColumnElement, Text, cast, delete, func, literal, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping import FetchFailure, FetchRun, MissingMovie, SyncState
from database.incoming import column_types, incoming_rows
from database.intervals import interval_of
from database.models import Movie

#: The pause before a failure is tried again: this, doubled with each attempt, up to the longest.
FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(days=14)
#: How long YTS's word that it has no such movie is taken for true.
ASK_MISSING_AGAIN = timedelta(days=30)

Kind = Literal["page", "movie"]
Stage = Literal["fetch", "parse", "save"]


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be done, and why."""

    kind: Kind
    #: `asc:17` for a page, the YTS id for a movie.
    key: str
    stage: Stage
    error_class: str
    #: For a person; never holds a secret.
    message: str


def record_failures(session: Session, failures: Iterable[Failure]) -> None:
    """Write *failures*, counting attempts of those that failed before."""
    by_key = {(failure.kind, failure.key): failure for failure in failures}
    if not by_key:
        return
    names = ["kind", "key", "stage", "error_class", "message"]
    rows = [{name: getattr(by_key[key], name) for name in names} for key in sorted(by_key)]
    source = incoming_rows(column_types(FetchFailure, names), rows)
    statement = insert(FetchFailure).from_select(
        [*names, "next_attempt_at"],
        select(*(source.c[name] for name in names), func.now() + literal(FIRST_RETRY)),
    )
    old, new = FetchFailure.__table__.c, statement.excluded
    # The exponent is bounded, or the interval would overflow after some 60 attempts.
    doubled = func.power(2, func.least(old.attempts, 16))
    pause = interval_of(FIRST_RETRY.total_seconds() * doubled)
    session.execute(
        statement.on_conflict_do_update(
            index_elements=["kind", "key"],
            set_={
                "stage": new.stage,
                "error_class": new.error_class,
                "message": new.message,
                "attempts": old.attempts + 1,
                "last_failed_at": func.now(),
                "next_attempt_at": func.now() + func.least(pause, literal(LONGEST_RETRY)),
            },
        )
    )


def clear_failures(session: Session, kind: Kind, keys: Collection[int | str]) -> None:
    """Forget the failures of what has succeeded since."""
    session.execute(
        delete(FetchFailure).where(
            FetchFailure.kind == kind, FetchFailure.key == func.any([str(key) for key in keys])
        )
    )


def record_missing(session: Session, external_ids: Collection[int]) -> None:
    """Remember that YTS has no movies with these ids."""
    if not external_ids:
        return
    rows = [{"external_id": external_id} for external_id in sorted(external_ids)]
    source = incoming_rows(column_types(MissingMovie, ["external_id"]), rows)
    again = func.now() + literal(ASK_MISSING_AGAIN)
    session.execute(
        insert(MissingMovie)
        .from_select(["external_id", "ask_again_at"], select(source.c.external_id, again))
        .on_conflict_do_update(
            index_elements=["external_id"],
            set_={"last_asked_at": func.now(), "ask_again_at": again},
        )
    )


def clear_missing(session: Session, external_ids: Collection[int]) -> None:
    """Forget that these were missing: they are there."""
    session.execute(
        delete(MissingMovie).where(MissingMovie.external_id == func.any(list(external_ids)))
    )


def read_missing(session: Session, external_ids: Sequence[int]) -> set[int]:
    """Return which of these ids were missing lately, so that asking again is too early."""
    missing = session.scalars(
        select(MissingMovie.external_id).where(
            MissingMovie.external_id == func.any(external_ids),
            MissingMovie.ask_again_at > func.now(),
        )
    )
    return set(missing)


def read_ids_without_details(session: Session, below: int, count: int) -> list[int]:
    """Return up to *count* YTS ids under *below* that are due for details, newest first."""
    return list(
        session.scalars(
            select(Movie.external_id)
            .where(Movie.external_id < below, *_is_due_for_details())
            .order_by(Movie.external_id.desc())
            .limit(count)
        )
    )


def count_due_for_details(session: Session) -> int:
    """Return how many stored movies are due for details."""
    return session.scalar(select(func.count(Movie.id)).where(*_is_due_for_details())) or 0


def _is_due_for_details() -> tuple[ColumnElement[bool], ...]:
    """Without details, and neither missing nor failed so lately that its time has not come."""
    is_missing = select(MissingMovie.external_id).where(
        MissingMovie.external_id == Movie.external_id, MissingMovie.ask_again_at > func.now()
    )
    has_failed = select(FetchFailure.key).where(
        FetchFailure.kind == "movie",
        FetchFailure.key == cast(Movie.external_id, Text),
        FetchFailure.next_attempt_at > func.now(),
    )
    return Movie.details_fetched_at.is_(None), ~is_missing.exists(), ~has_failed.exists()


def start_run(session: Session, command: str) -> int:
    """Open a run and return its id."""
    run = FetchRun(command=command, phase="starting")
    session.add(run)
    session.flush()
    return run.id


def change_run(session: Session, run_id: int, **values: object) -> None:
    """Set columns of a run, and its heartbeat."""
    session.execute(
        update(FetchRun)
        .where(FetchRun.id == run_id)
        .values(heartbeat_at=func.clock_timestamp(), **values)
    )


def add_to_run(session: Session, run_id: int, counts: Mapping[str, int]) -> None:
    """Add to the counters of a run; call it last, for the row is shared by all workers."""
    columns = FetchRun.__table__.c
    change_run(session, run_id, **{name: columns[name] + n for name, n in counts.items() if n})


def read_state(session: Session) -> SyncState:
    """Return the one row of `sync_state`, made if it is not there yet."""
    session.execute(insert(SyncState).values(id=1).on_conflict_do_nothing())
    return session.scalars(select(SyncState)).one()


def highest_movie_id(session: Session) -> int | None:
    """Return the highest YTS id stored."""
    return session.scalar(select(func.max(Movie.external_id)))


def remember_progress(session: Session, next_page: int, movie_count: int) -> None:
    """Note how far the sweep from the oldest has come, and the count YTS gave last."""
    state = read_state(session)
    state.next_page, state.movie_count = next_page, movie_count


def complete_sweep(session: Session) -> None:
    """Move the watermark: every page was read and saved."""
    state = read_state(session)
    state.watermark_movie_id = highest_movie_id(session)
    state.sweep_completed_at = func.now()
    state.next_page = 1
