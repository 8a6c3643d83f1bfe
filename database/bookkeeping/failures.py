"""`Failure`, `record_failures`, `clear_failures`, `read_failures`: the ledger; nothing commits."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import BigInteger, case, cast, func, literal, select, text
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchFailure
from database.bookkeeping.rows import FAILURE_COLUMNS, FailureKind, FailureRow, FailureStage
from database.connection.kept_plans import run_kept
from database.models import Movie
from database.search.keyset import Key, Position, order_by, read_position, rows_after
from database.sql import column_types, interval_of, json_params, json_rows, plan_once, table_of

#: The pause before a failure is tried again: this, doubled with each attempt, up to the longest.
FIRST_RETRY = timedelta(minutes=10)
LONGEST_RETRY = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Failure:
    """A page or movie that could not be fetched, parsed or saved, and the reason."""

    kind: FailureKind
    #: Number of the page, oldest movies first, or YTS id of the movie.
    key: str
    stage: FailureStage
    error_class: str
    #: The reason as text for the user; it never contains a secret.
    message: str


class TitledFailure(NamedTuple):
    """A failure on record, with the title of its movie."""

    failure: FailureRow
    #: None for a page, or for a movie that is not stored.
    title: str | None


_COLUMNS = ("kind", "key", "stage", "error_class", "message")

_failures = table_of(FetchFailure)
_CLEAR = plan_once(
    text(
        "DELETE FROM fetch_failures WHERE (kind = 'movie' AND key = ANY (:movies)) "
        "OR (kind = 'page' AND key = ANY (:pages))"
    )
)


def _make_record() -> Insert:
    """Return the statement that records failures, and counts another attempt of known ones."""
    source = json_rows(column_types(FetchFailure, _COLUMNS))
    statement = insert(_failures).from_select(
        [*_COLUMNS, "next_attempt_at"], select(*source.c, func.now() + literal(FIRST_RETRY))
    )
    old, new = _failures.c, statement.excluded
    # The exponent is limited, because the interval would overflow after some 60 attempts.
    doubled = func.power(2, func.least(old.attempts, 16))
    pause = interval_of(FIRST_RETRY.total_seconds() * doubled)
    return statement.on_conflict_do_update(
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


_RECORD = _make_record()
_READ_NEXT_ATTEMPT = select(func.min(_failures.c.next_attempt_at))
_COUNT = select(func.count()).select_from(_failures)
_COUNT_LOST = text(
    "SELECT count(*) FROM fetch_failures WHERE kind = 'page' "
    "OR NOT EXISTS (SELECT FROM movies WHERE external_id::text = key)"
)


def record_failures(session: Session, failures: Iterable[Failure]) -> None:
    """Record *failures*; for those that failed before, count another attempt."""
    by_key = {(failure.kind, failure.key): failure for failure in failures}
    if by_key:
        rows = [{name: getattr(by_key[key], name) for name in _COLUMNS} for key in sorted(by_key)]
        session.execute(_RECORD, json_params(rows))


def clear_failures(
    session: Session, *, movies: Collection[int] = (), pages: Collection[str] = ()
) -> None:
    """Delete the failures of movies and pages that have succeeded since."""
    if movies or pages:
        given = {"movies": [str(id_) for id_ in movies], "pages": list(pages)}
        run_kept(session, _CLEAR, given)


#: Sort keys of the list of failures.
_KEYS = (
    Key(FetchFailure.next_attempt_at.expression, "time"),
    Key(FetchFailure.kind.expression, "text"),
    Key(FetchFailure.key.expression, "text"),
)


def read_failures(
    session: Session, limit: int | None = None, *, after: object = None
) -> list[TitledFailure]:
    """
    Return all failures, or up to *limit*, ordered by the time of their next attempt.

    *after* is the `position_of` a failure: only those that come after it are returned.

    Raises:
        BadPosition: *after* is not the position of a failure.
    """
    # Compared as numbers, because a comparison as text would read all movies.
    is_movie = (FetchFailure.kind == "movie") & FetchFailure.key.regexp_match("^[0-9]{1,18}$")
    movie_id = case((is_movie, cast(FetchFailure.key, BigInteger)))
    movies = table_of(Movie)
    query = select(*FAILURE_COLUMNS, movies.c.title).select_from(
        table_of(FetchFailure).outerjoin(movies, movies.c.external_id == movie_id)
    )
    if after is not None:
        query = query.where(rows_after(_KEYS, read_position(_KEYS, after)))
    rows = session.execute(query.order_by(*order_by(_KEYS)).limit(limit))
    return [TitledFailure(FailureRow(*failure), title) for *failure, title in rows]


def position_of(failure: FailureRow) -> Position:
    """Return the position of *failure* in the list."""
    return failure.next_attempt_at, failure.kind, failure.key


def read_next_attempt(session: Session) -> datetime | None:
    """Return when the next failure is due; None if there are no failures."""
    due_at: datetime | None = session.scalar(_READ_NEXT_ATTEMPT)
    return due_at


def count_failures(session: Session) -> int:
    """Return how many pages and movies are on record as failed, due or not."""
    return session.scalar(_COUNT) or 0


def count_lost(session: Session) -> int:
    """Return how many failures mean missing data: pages, and movies that are not stored."""
    return session.scalar(_COUNT_LOST) or 0
