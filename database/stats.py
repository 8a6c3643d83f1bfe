"""`read_stats` and the newest rows of the mirror, as frozen values; each query is cheap."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ScalarSelect, desc, func, select
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchFailure, FetchRun, MissingMovie, SyncState
from database.bookkeeping.rows import (
    FAILURE_COLUMNS,
    RUN_COLUMNS,
    SYNC_STATE_COLUMNS,
    FailureRow,
    RunRow,
    SyncStateRow,
)
from database.counts import movies_of_genres, read_counts
from database.models import Base, Genre, Movie
from database.sql import plan_once, table_of

_movies = table_of(Movie).c
_genres = table_of(Genre).c


def _rows_of(model: type[Base]) -> ScalarSelect[int]:
    return select(func.count()).select_from(table_of(model)).scalar_subquery()


_TOTALS = select(
    _rows_of(Genre),
    _rows_of(FetchFailure),
    _rows_of(MissingMovie),
    select(func.max(_movies.created_at)).scalar_subquery(),
)
_READ_SYNC_STATE = plan_once(select(*SYNC_STATE_COLUMNS).where(table_of(SyncState).c.id == 1))


@dataclass(frozen=True, slots=True)
class Stats:
    """The totals of the catalogue; by default those of tables without rows."""

    total_movies: int = 0
    total_genres: int = 0
    total_cast: int = 0
    total_torrents: int = 0
    #: Movies whose details were fetched.
    movies_with_details: int = 0
    #: Movies with vectors in the active embedding space.
    movies_with_vectors: int = 0
    #: Over rated movies only, to two places; None if there are none.
    average_rating: float | None = None
    #: When the newest row of `movies` was created.
    last_saved_at: datetime | None = None
    total_failures: int = 0
    total_missing: int = 0
    #: Stored movies that YTS no longer has.
    total_gone: int = 0


@dataclass(frozen=True, slots=True)
class StoredMovie:
    """A recently stored movie."""

    #: Its id at YTS.
    id: int
    title: str
    year: int | None
    rating: float | None


@dataclass(frozen=True, slots=True)
class GenreTotal:
    """A genre and the number of its movies."""

    name: str
    movies: int


def read_stats(session: Session) -> Stats:
    """Return the totals of the catalogue."""
    counts = read_counts(session)
    genres, failures, missing, last_saved_at = session.execute(_TOTALS).one()
    return Stats(
        total_movies=counts.movies,
        total_genres=genres,
        total_cast=counts.casts,
        total_torrents=counts.torrents,
        movies_with_details=counts.movies_with_details,
        movies_with_vectors=counts.movies_with_vectors,
        average_rating=counts.average_rating,
        last_saved_at=last_saved_at,
        total_failures=failures,
        total_missing=missing,
        total_gone=counts.gone_movies,
    )


def read_sync_state(session: Session) -> SyncStateRow | None:
    """Return the source of the movies and the state of the sweep; None before the first run."""
    row = session.execute(_READ_SYNC_STATE).one_or_none()
    return None if row is None else SyncStateRow(*row)


def read_last_stored(session: Session, count: int = 5) -> list[StoredMovie]:
    """Return the movies that were stored last, the newest first."""
    rows = session.execute(
        select(_movies.external_id, _movies.title, _movies.year, _movies.rating)
        .order_by(_movies.created_at.desc(), _movies.external_id.desc())
        .limit(count)
    )
    return [StoredMovie(id_, title, year, rating) for id_, title, year, rating in rows]


def read_top_genres(session: Session, count: int = 8) -> list[GenreTotal]:
    """Return the genres with the most movies, largest first."""
    rows = session.execute(movies_of_genres().order_by(desc("movies"), _genres.name).limit(count))
    return [GenreTotal(name, int(movies)) for name, movies in rows]


def read_last_errors(session: Session, count: int = 3) -> list[FailureRow]:
    """Return the most recent recorded failures, newest first."""
    latest = table_of(FetchFailure).c.last_failed_at.desc()
    rows = session.execute(select(*FAILURE_COLUMNS).order_by(latest).limit(count))
    return [FailureRow(*row) for row in rows]


def read_last_run(session: Session) -> RunRow | None:
    """Return the run that started last; it may still be running."""
    latest = table_of(FetchRun).c.id.desc()
    row = session.execute(select(*RUN_COLUMNS).order_by(latest).limit(1)).one_or_none()
    return None if row is None else RunRow(*row)
