"""`read_overview`: totals, runs and histograms for the HTML page; too slow for polling."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Integer, cast, func, select
from sqlalchemy.orm import Session

from database.bookkeeping.rows import SyncStateRow
from database.db import DatabaseManager
from database.models import Genre, Movie, MovieGenre
from database.monitoring.history import PastRun, read_runs
from database.monitoring.status import read_only_session
from database.schema import require_schema
from database.search.aggregates import DECADE, Group, aggregate_movies
from database.search.filters import MovieFilter
from database.stats import Stats, read_stats, read_sync_state


@dataclass(frozen=True, slots=True)
class Overview:
    """The data of the HTML page, as of one moment."""

    #: By the clock of the database.
    time: datetime
    stats: Stats
    #: None before the first run.
    sync: SyncStateRow | None
    #: All runs, newest first.
    runs: list[PastRun]
    #: Movies by the month of their upload, newest first.
    months: list[Group]
    #: For each decade, oldest first: its movies, and how many of them have details.
    decades: dict[int, tuple[int, int]]
    #: For each genre: its movies in each decade.
    genres: dict[str, dict[int, int]]
    #: Movies by whole points of the rating, from 0 to 10; movies without a rating are left out.
    ratings: dict[int, int]


def read_overview(db: DatabaseManager) -> Overview:
    """
    Return the overview of the mirror.

    Raises:
        DatabaseNotReady: as `read_only_session`, or there are no tables yet.
    """
    with read_only_session(db) as session:
        require_schema(session)
        return Overview(
            time=session.scalars(select(func.clock_timestamp())).one(),
            stats=read_stats(session),
            sync=read_sync_state(session),
            runs=read_runs(session),
            months=aggregate_movies(session, "month", MovieFilter()),
            decades=_decades(session),
            genres=_genres(session),
            ratings=_ratings(session),
        )


_decade = DECADE.label("decade")


def _decades(session: Session) -> dict[int, tuple[int, int]]:
    rows = session.execute(
        select(_decade, func.count(), func.count(Movie.details_fetched_at))
        .where(Movie.year.is_not(None))
        .group_by(_decade)
        .order_by(_decade)
    )
    return {decade: (movies, detailed) for decade, movies, detailed in rows if decade is not None}


def _genres(session: Session) -> dict[str, dict[int, int]]:
    rows = session.execute(
        select(Genre.name, _decade, func.count())
        .select_from(Movie)
        .join(MovieGenre)
        .join(Genre)
        .where(Movie.year.is_not(None))
        .group_by(Genre.name, _decade)
    )
    genres: dict[str, dict[int, int]] = {}
    for name, decade, movies in rows:
        assert decade is not None  # noqa: S101 -- for mypy: see the condition
        genres.setdefault(name, {})[decade] = movies
    return genres


def _ratings(session: Session) -> dict[int, int]:
    points = cast(func.floor(Movie.rating), Integer)
    rows = session.execute(
        select(points, func.count()).where(Movie.rating.is_not(None)).group_by(points)
    )
    return dict(rows.all())
