"""`read_due_failures`, `read_ids_without_details`, `read_stale`: what a run has to request."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import ColumnElement, Text, cast, func, literal, select, tuple_
from sqlalchemy.orm import Session

from database.bookkeeping.missing import is_due, is_missing
from database.bookkeeping.models import FetchFailure, MissingMovie
from database.bookkeeping.rows import FailureKind
from database.models import Movie


def read_due_failures(session: Session, kind: FailureKind) -> list[str]:
    """Return the keys of failures that are due, the longest overdue first."""
    return list(
        session.scalars(
            select(FetchFailure.key)
            .where(FetchFailure.kind == kind, _may_be_tried())
            .order_by(FetchFailure.next_attempt_at, FetchFailure.key)
        )
    )


def read_ids_without_details(session: Session, below: int | None, count: int) -> list[int]:
    """
    Return up to *count* YTS ids that are due for details, newest first.

    With *below*, only ids lower than that.
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

    Each is a pair of the time of its details and its YTS id. *after* is the last pair of the
    previous call.
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
    """Return how many stored movies have no details and no record that explains it."""
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
    # Details with a time in the future were fetched while the clock was wrong.
    fetched_at = Movie.details_fetched_at
    return (fetched_at < before) | (fetched_at > func.now()), *_may_be_asked_for()


def _may_be_asked_for() -> tuple[ColumnElement[bool], ...]:
    """Return the SQL conditions that a movie is not missing, and has no failure that is not due."""
    has_failed = select(FetchFailure.key).where(_is_of_movie(), ~_may_be_tried())
    return ~is_missing(Movie.external_id), ~has_failed.exists()


def _is_of_movie() -> ColumnElement[bool]:
    return (FetchFailure.kind == "movie") & (FetchFailure.key == cast(Movie.external_id, Text))


def _may_be_tried() -> ColumnElement[bool]:
    return is_due(FetchFailure.next_attempt_at, FetchFailure.last_failed_at)


def read_known(session: Session, ids: Iterable[int], *, update: bool) -> set[int]:
    """
    Return the ids that `--ids` skips: movies stored with their details; with *update*, none.

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
