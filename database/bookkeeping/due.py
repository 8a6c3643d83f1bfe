"""`read_due_failures`, `read_ids_without_details`, `read_stale`: what a run has to request."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import (
    ColumnElement,
    DateTime,
    Integer,
    Text,
    and_,
    bindparam,
    cast,
    func,
    select,
    tuple_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from database.bookkeeping.missing import is_due, is_missing
from database.bookkeeping.models import FetchFailure, MissingMovie
from database.bookkeeping.rows import FailureKind
from database.models import Movie
from database.sql import table_of

_movies, _failures, _missing = map(table_of, (Movie, FetchFailure, MissingMovie))
_id, _fetched_at = _movies.c.external_id, _movies.c.details_fetched_at
_count = select(func.count()).select_from(_movies)
_limit = bindparam("count", type_=Integer)
_is_given = _id == func.any(bindparam("ids", type_=ARRAY(Integer)))
_before = bindparam("before", type_=DateTime(timezone=True))

_may_be_tried = is_due(_failures.c.next_attempt_at, _failures.c.last_failed_at)
_is_of_movie = (_failures.c.kind == "movie") & (_failures.c.key == cast(_id, Text))
_has_failed = select(_failures.c.key).where(_is_of_movie)
#: The movie is not missing, and has no failure that is not due.
_may_be_asked_for: tuple[ColumnElement[bool], ...] = (
    ~is_missing(_id),
    ~_has_failed.where(~_may_be_tried).exists(),
)
_lacks_details = (_fetched_at.is_(None), *_may_be_asked_for)
# Details with a time in the future were fetched while the clock was wrong.
_is_stale = ((_fetched_at < _before) | (_fetched_at > func.now()), *_may_be_asked_for)

_READ_DUE_FAILURES = (
    select(_failures.c.key)
    .where(_failures.c.kind == bindparam("kind"), _may_be_tried)
    .order_by(_failures.c.next_attempt_at, _failures.c.key)
)
_READ_WITHOUT_DETAILS = select(_id).where(*_lacks_details).order_by(_id.desc()).limit(_limit)
_READ_NOT_DUE = select(_id).where(_is_given, ~and_(*_lacks_details))
_READ_BELOW = _READ_WITHOUT_DETAILS.where(_id < bindparam("below"))
_COUNT_DUE = _count.where(*_lacks_details)
_READ_STALE = select(_fetched_at, _id).where(*_is_stale).order_by(_fetched_at, _id).limit(_limit)
_READ_STALE_AFTER = _READ_STALE.where(
    tuple_(_fetched_at, _id)
    > tuple_(bindparam("at", type_=DateTime(timezone=True)), bindparam("id", type_=Integer))
)
_COUNT_STALE = _count.where(*_is_stale)
_COUNT_LACKING = _count.where(
    _fetched_at.is_(None),
    _movies.c.gone_since.is_(None),
    ~select(_missing.c.external_id).where(_missing.c.external_id == _id).exists(),
    ~_has_failed.exists(),
)
_READ_KNOWN = select(_id).where(_is_given, _fetched_at.is_not(None), _movies.c.gone_since.is_(None))


def read_due_failures(session: Session, kind: FailureKind) -> list[str]:
    """Return the keys of failures that are due, the longest overdue first."""
    return list(session.scalars(_READ_DUE_FAILURES, {"kind": kind}))


def read_ids_without_details(session: Session, below: int | None, count: int) -> list[int]:
    """
    Return up to *count* YTS ids that are due for details, newest first.

    With *below*, only ids lower than that.
    """
    if below is None:
        return list(session.scalars(_READ_WITHOUT_DETAILS, {"count": count}))
    return list(session.scalars(_READ_BELOW, {"count": count, "below": below}))


def read_due_for_details(session: Session, ids: Iterable[int]) -> list[int]:
    """Return which of the listed *ids* are due for details: all except stored ones that are not."""
    distinct = dict.fromkeys(ids)
    not_due = set(session.scalars(_READ_NOT_DUE, {"ids": list(distinct)}))
    return [id_ for id_ in distinct if id_ not in not_due]


def count_due_for_details(session: Session) -> int:
    """Return how many stored movies are due for details."""
    return session.scalar(_COUNT_DUE) or 0


def read_stale(
    session: Session, before: datetime, after: tuple[datetime, int] | None, count: int
) -> list[tuple[datetime, int]]:
    """
    Return up to *count* movies whose details are older than *before*, oldest first.

    Each is a pair of the time of its details and its YTS id. *after* is the last pair of the
    previous call.
    """
    parameters: dict[str, object] = {"before": before, "count": count}
    if after is None:
        rows = session.execute(_READ_STALE, parameters)
    else:
        rows = session.execute(_READ_STALE_AFTER, {**parameters, "at": after[0], "id": after[1]})
    return [(moment, id_) for moment, id_ in rows]


def count_stale(session: Session, before: datetime) -> int:
    """Return how many stored movies have details older than *before*."""
    return session.scalar(_COUNT_STALE, {"before": before}) or 0


def count_lacking_details(session: Session) -> int:
    """Return how many stored movies have no details and no record that explains it."""
    return session.scalar(_COUNT_LACKING) or 0


def read_known(session: Session, ids: Iterable[int], *, update: bool) -> set[int]:
    """
    Return the ids that `--ids` skips: movies stored with their details; with *update*, none.

    Movies that are marked as gone are asked for again.
    """
    return set() if update else set(session.scalars(_READ_KNOWN, {"ids": list(ids)}))
