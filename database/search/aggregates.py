"""`aggregate_movies`: movies grouped by genre, year, decade, language, month or actor."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, Select, String, cast, func, select
from sqlalchemy.orm import Session

from database.models import Cast, Genre, Movie, MovieCast, MovieGenre
from database.search.filters import MovieFilter

By = Literal["genre", "year", "decade", "language", "month", "actor"]

#: The first year of its decade.
DECADE = Movie.year // 10 * 10

_LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Group:
    """A group of movies, with their number and mean rating."""

    #: For example Drama, 1999, 1990s, en, 2026-11 or a name; None if unknown.
    name: str | None
    movies: int
    #: Mean of the rated movies, to two places; None if none is rated.
    average_rating: float | None


def aggregate_movies(session: Session, by: By, filters: MovieFilter) -> list[Group]:
    """
    Return the groups of the movies that match *filters*; at most 1,000 actors.

    Years, decades and months come newest first, other groups by their number of movies. A month is
    that of the upload, in UTC.
    """
    name, query = _grouped(by)
    movies = func.count().label("movies")
    rating = func.round(func.avg(Movie.rating), 2)
    is_time = by in {"year", "decade", "month"}
    order = [name.desc().nulls_last()] if is_time else [movies.desc(), name.asc()]
    rows = session.execute(
        query.add_columns(movies, rating)
        .where(*filters.conditions())
        .group_by(*_keys(by, name))
        .order_by(*order)
        .limit(_LONGEST)
    )
    return [Group(key, count, None if mean is None else float(mean)) for key, count, mean in rows]


def _grouped(by: By) -> tuple[ColumnElement[Any], Select[Any]]:
    if by == "genre":
        query = select(Genre.name).select_from(Movie).join(MovieGenre).join(Genre)
        return Genre.name.expression, query
    if by == "actor":
        query = select(Cast.name).select_from(Movie).join(MovieCast).join(Cast)
        return Cast.name.expression, query
    names: dict[str, ColumnElement[Any]] = {
        "year": cast(Movie.year, String),
        "decade": cast(DECADE, String) + "s",
        "language": Movie.language.expression,
        "month": func.to_char(func.timezone("UTC", Movie.date_uploaded), "YYYY-MM"),
    }
    name = names[by]
    return name, select(name)


def _keys(by: By, name: ColumnElement[Any]) -> list[ColumnElement[Any]]:
    # Two people may have one name.
    return [Cast.id.expression, name] if by == "actor" else [name]
