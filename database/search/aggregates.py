"""`aggregate_movies`: movies grouped by genre, year, decade, language, month or actor."""

from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import ColumnElement, String, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from database.models import Cast, Genre, Movie, MovieCast, MovieGenre
from database.search.filters import MovieFilter

By = Literal["genre", "year", "decade", "language", "month", "actor"]

#: The first year of its decade.
DECADE = Movie.year // 10 * 10

_LONGEST = 1000
_NAMES: dict[By, ColumnElement[Any]] = {
    "year": cast(Movie.year, String),
    "decade": cast(DECADE, String) + "s",
    "language": Movie.language.expression,
    "month": func.to_char(func.timezone("UTC", Movie.date_uploaded), "YYYY-MM"),
}
#: The column of a link that movies are grouped by, and what it refers to. Two people may have one
#: name.
_LINKS: dict[By, tuple[InstrumentedAttribute[int], type[Genre | Cast]]] = {
    "genre": (MovieGenre.genre_id, Genre),
    "actor": (MovieCast.cast_id, Cast),
}


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
    movies = func.count().label("movies")
    rating = func.round(func.avg(Movie.rating), 2).label("rating")
    conditions = filters.conditions()
    if by in _LINKS:
        link, names = _LINKS[by]
        # Grouped by numbers; the names are looked up once for each group.
        counted = select(link.label("id"), movies, rating).select_from(Movie).join(link.class_)
        groups = counted.where(*conditions).group_by(link).subquery()
        query = select(names.name, groups.c.movies, groups.c.rating).join(
            groups, names.id == groups.c.id
        )
        order = [groups.c.movies.desc(), names.name.asc()]
    else:
        name = _NAMES[by]
        query = select(name, movies, rating).where(*conditions).group_by(name)
        is_time = by in {"year", "decade", "month"}
        order = [name.desc().nulls_last()] if is_time else [movies.desc(), name.asc()]
    rows = session.execute(query.order_by(*order).limit(_LONGEST))
    return [Group(key, count, None if mean is None else float(mean)) for key, count, mean in rows]
