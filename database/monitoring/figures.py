"""`read_figures`: numbers of movies by month, decade, genre and rating, for charts."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

from database.models import Genre, Movie, MovieGenre
from database.search.aggregates import DECADE

Unit = Literal["day", "month"]

_DECADE = DECADE.label("decade")
#: Uploads within a shorter time are counted by the day.
_BY_DAY = timedelta(days=100)


@dataclass(frozen=True, slots=True)
class Decade:
    """The movies of ten years."""

    movies: int
    with_details: int


@dataclass(frozen=True, slots=True)
class Figures:
    """Numbers of movies, as of one moment; movies that YTS no longer has are left out."""

    #: By the clock of the database.
    time: datetime
    #: The day of their upload in UTC, or the first day of the month, oldest first.
    uploads: Mapping[date, int]
    #: Whether all uploads are so close together that they are counted by the day.
    is_by_day: bool
    #: The first year of the decade, oldest first.
    decades: Mapping[int, Decade]
    #: Name of the genre, largest first; then the first year of the decade.
    genres: Mapping[str, Mapping[int, int]]
    #: Half points of the rating, rounded down, from 0 to 20; movies without a rating are left out.
    ratings: Mapping[int, int]


def read_figures(session: Session) -> Figures:
    """
    Return all figures.

    They need all movies, so the statements read indexes only: with 77,000 movies a fifth of a
    second of CPU, instead of half a second and 300 MB of rows. See docs/decisions/charts.md.
    """
    time = session.scalars(select(func.clock_timestamp())).one()
    unit = _choose_unit(session)
    # A movie without details is read from its row; a complete mirror has none.
    incomplete = dict(session.execute(_incomplete_by_decade()).all())
    movies, ratings = Counter[int](), Counter[int]()
    for decade, rating, count in session.execute(_by_decade_and_rating()):
        if decade is not None:
            movies[decade] += count
        if rating is not None:
            ratings[int(rating * 2)] += count
    return Figures(
        time=time,
        uploads=_read_uploads(session, unit),
        is_by_day=unit == "day",
        decades={
            decade: Decade(movies[decade], max(0, movies[decade] - incomplete.get(decade, 0)))
            for decade in sorted(movies)
        },
        genres=_read_genres(session),
        ratings=ratings,
    )


def _read_uploads(session: Session, unit: Unit) -> dict[date, int]:
    # The index on times does not say which movies are gone; they are few.
    gone = dict(session.execute(_by_upload(unit, is_gone=True)).all())
    counted = {
        time.date(): movies - gone.get(time, 0)
        for time, movies in session.execute(_by_upload(unit, is_gone=False))
        if movies > gone.get(time, 0)
    }
    return dict(sorted(counted.items()))


def _read_genres(session: Session) -> dict[str, dict[int, int]]:
    genres: dict[str, dict[int, int]] = {}
    for name, decade, movies in session.execute(_by_genre_and_decade()):
        genres.setdefault(name, {})[decade] = movies
    by_size = sorted(genres.items(), key=lambda genre: (-sum(genre[1].values()), genre[0]))
    return {name: dict(sorted(decades.items())) for name, decades in by_size}


def _by_decade_and_rating() -> Select[*tuple[int | None, float | None, int]]:
    query = select(_DECADE, Movie.rating, func.count()).where(Movie.gone_since.is_(None))
    return query.group_by(_DECADE, Movie.rating)


def _incomplete_by_decade() -> Select[*tuple[int | None, int]]:
    query = select(_DECADE, func.count())
    is_incomplete = Movie.details_fetched_at.is_(None), Movie.gone_since.is_(None)
    return query.where(*is_incomplete).group_by(_DECADE)


def _choose_unit(session: Session) -> Unit:
    """Return the unit in which uploads are counted."""
    uploaded = Movie.date_uploaded
    first, last = session.execute(select(func.min(uploaded), func.max(uploaded))).one()
    return "month" if first and last and last - first >= _BY_DAY else "day"


def _by_upload(unit: Unit, *, is_gone: bool) -> Select[*tuple[datetime, int]]:
    time = func.date_trunc(unit, func.timezone("UTC", Movie.date_uploaded)).label("time")
    query = select(time, func.count()).where(Movie.date_uploaded.is_not(None)).group_by(time)
    return query.where(Movie.gone_since.is_not(None)) if is_gone else query


def _by_genre_and_decade() -> Select[*tuple[str, int, int]]:
    counted = (
        select(MovieGenre.genre_id, _DECADE, func.count().label("movies"))
        .join(Movie)
        .where(Movie.gone_since.is_(None), Movie.year.is_not(None))
        .group_by(MovieGenre.genre_id, _DECADE)
        .subquery()
    )
    return select(Genre.name, counted.c.decade, counted.c.movies).join(counted)
