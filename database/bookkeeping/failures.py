"""
The ledger of failures, and what is due: failures to try again, movies without details, stale ones.

Nothing here commits.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import ColumnElement, Text, cast, delete, func, literal, select, tuple_
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping.missing import is_due, is_missing
from database.bookkeeping.models import FetchFailure, MissingMovie
from database.bookkeeping.rows import FailureKind, FailureRow, FailureStage
from database.models import Movie
from database.sql import column_types, interval_of, table_of, unnest_params, unnest_rows

#: The pause before a failure is tried again: this, doubled with each attempt, up to the longest.
FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Failure:
    """What could not be done, and why."""

    kind: FailureKind
    #: Number of the page from the oldest, or YTS id of the movie.
    key: str
    stage: FailureStage
    error_class: str
    #: For a person; never holds a secret.
    message: str


class TitledFailure(NamedTuple):
    """A failure on record, with the title of its movie."""

    failure: FailureRow
    #: None for a page, and for a movie that is not stored.
    title: str | None


def record_failures(session: Session, failures: Iterable[Failure]) -> None:
    """Write *failures*, counting attempts of those that failed before."""
    by_key = {(failure.kind, failure.key): failure for failure in failures}
    if not by_key:
        return
    names = ["kind", "key", "stage", "error_class", "message"]
    rows = [{name: getattr(by_key[key], name) for name in names} for key in sorted(by_key)]
    source = unnest_rows(column_types(FetchFailure, names))
    statement = insert(table_of(FetchFailure)).from_select(
        [*names, "next_attempt_at"],
        select(*(source.c[name] for name in names), func.now() + literal(FIRST_RETRY)),
    )
    old, new = table_of(FetchFailure).c, statement.excluded
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
        ),
        unnest_params(rows, names),
    )


def clear_failures(session: Session, kind: FailureKind, keys: Collection[int | str]) -> None:
    """Forget the failures of what has succeeded since."""
    session.execute(
        delete(FetchFailure).where(
            FetchFailure.kind == kind, FetchFailure.key == func.any([str(key) for key in keys])
        )
    )


def read_due_failures(session: Session, kind: FailureKind) -> list[str]:
    """Return the keys of recorded failures whose time has come, those due longest first."""
    return list(
        session.scalars(
            select(FetchFailure.key)
            .where(FetchFailure.kind == kind, _may_be_tried())
            .order_by(FetchFailure.next_attempt_at, FetchFailure.key)
        )
    )


def read_failures(session: Session, limit: int | None = None) -> list[TitledFailure]:
    """Return all failures, or up to *limit*, those that are tried again soonest first."""
    is_movie = (FetchFailure.kind == "movie") & (FetchFailure.key == cast(Movie.external_id, Text))
    rows = session.execute(
        select(FetchFailure, Movie.title)
        .join(Movie, is_movie, isouter=True)
        .order_by(FetchFailure.next_attempt_at, FetchFailure.kind, FetchFailure.key)
        .limit(limit)
    )
    return [TitledFailure(FailureRow.from_model(failure), title) for failure, title in rows]


def read_next_attempt(session: Session) -> datetime | None:
    """Return when the first of the failures may be tried again; None where there are none."""
    return session.scalar(select(func.min(FetchFailure.next_attempt_at)))


def read_ids_without_details(session: Session, below: int | None, count: int) -> list[int]:
    """
    Return up to *count* YTS ids that are due for details, newest first.

    Only those under *below*; None: all.
    """
    query = select(Movie.external_id).where(*_lacks_details())
    if below is not None:
        query = query.where(Movie.external_id < below)
    return list(session.scalars(query.order_by(Movie.external_id.desc()).limit(count)))


def count_due_for_details(session: Session) -> int:
    """Return how many stored movies are due for details."""
    return session.scalar(select(func.count(Movie.id)).where(*_lacks_details())) or 0


def read_stale(
    session: Session, before: datetime, after: tuple[datetime, int] | None, count: int
) -> list[tuple[datetime, int]]:
    """
    Return up to *count* movies whose details are older than *before*, oldest first.

    Each as the time of its details and its YTS id; *after* is such a pair, of the last
    movie that is known already.
    """
    fetched_at = Movie.details_fetched_at
    query = select(fetched_at, Movie.external_id).where(*_is_stale(before))
    if after is not None:
        query = query.where(tuple_(fetched_at, Movie.external_id) > tuple_(*map(literal, after)))
    rows = session.execute(query.order_by(fetched_at, Movie.external_id).limit(count))
    return [(moment, id_) for moment, id_ in rows if moment is not None]


def count_stale(session: Session, before: datetime) -> int:
    """Return how many stored movies have details older than *before*."""
    return session.scalar(select(func.count(Movie.id)).where(*_is_stale(before))) or 0


def count_lacking_details(session: Session) -> int:
    """Return how many stored movies have no details though nothing on record explains it."""
    id_ = Movie.external_id
    is_recorded = (
        select(MissingMovie.external_id).where(MissingMovie.external_id == id_).exists(),
        select(FetchFailure.key).where(_is_of_movie()).exists(),
    )
    lacking = Movie.details_fetched_at.is_(None), Movie.gone_since.is_(None)
    query = select(func.count(Movie.id)).where(*lacking, *(~record for record in is_recorded))
    return session.scalar(query) or 0


def _lacks_details() -> tuple[ColumnElement[bool], ...]:
    return Movie.details_fetched_at.is_(None), *_may_be_asked_for()


def _is_stale(before: datetime) -> tuple[ColumnElement[bool], ...]:
    # Details of a time to come were fetched while the clock was wrong.
    fetched_at = Movie.details_fetched_at
    return (fetched_at < before) | (fetched_at > func.now()), *_may_be_asked_for()


def _may_be_asked_for() -> tuple[ColumnElement[bool], ...]:
    """Neither missing nor failed so lately that its time has not come."""
    has_failed = select(FetchFailure.key).where(_is_of_movie(), ~_may_be_tried())
    return ~is_missing(Movie.external_id), ~has_failed.exists()


def _is_of_movie() -> ColumnElement[bool]:
    return (FetchFailure.kind == "movie") & (FetchFailure.key == cast(Movie.external_id, Text))


def _may_be_tried() -> ColumnElement[bool]:
    return is_due(FetchFailure.next_attempt_at, FetchFailure.last_failed_at)


def read_known(session: Session, ids: Iterable[int], *, update: bool) -> set[int]:
    """
    Return which of *ids* `--ids` skips: those stored with their details; with *update*, none.

    Movies that are marked as gone are asked for again.
    """
    if update:
        return set()
    query = select(Movie.external_id).where(
        Movie.external_id == func.any(list(ids)),
        Movie.details_fetched_at.is_not(None),
        Movie.gone_since.is_(None),
    )
    return set(session.scalars(query))


def count_failures(session: Session) -> int:
    """Return how many pages and movies are on record as failed, due or not."""
    return session.scalar(select(func.count()).select_from(FetchFailure)) or 0


def count_lost(session: Session) -> int:
    """Return how many failures leave something out: pages, and movies that are not stored."""
    is_stored = select(Movie.id).where(cast(Movie.external_id, Text) == FetchFailure.key).exists()
    query = select(func.count()).where((FetchFailure.kind == "page") | ~is_stored)
    return session.scalar(query.select_from(FetchFailure)) or 0
