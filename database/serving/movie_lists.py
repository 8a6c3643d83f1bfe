"""`MovieList`, `read_movie_part`: which movies a list has, in which order, and a part of it."""

from dataclasses import dataclass, field, replace
from typing import Any, Literal, get_args

from sqlalchemy import ColumnElement, Row, any_, func, select
from sqlalchemy.orm import Session

from database.counts import count_present, movies_of_genres
from database.models import Genre, Movie, MovieCast, MovieGenre
from database.search.filters import MovieFilter
from database.search.keyset import (
    Key,
    Position,
    read_position,
    segments_before,
    segments_of,
)
from database.search.lookup import SearchOrder, keys_of
from database.search.references import has_imdb_code
from database.serving.genre_conditions import conditions_of_genres

#: The orders of `query_movies.py`, and by id, which needs the least work.
MovieOrder = Literal["rating", "likes", "year", "title", "newest", "added", "updated", "id"]
_KEYS: dict[MovieOrder, tuple[Key, ...]] = {
    **{order: keys_of(order) for order in get_args(SearchOrder)},
    "id": (Key(Movie.external_id.expression, is_descending=True),),
}


@dataclass(frozen=True, slots=True)
class MovieList:
    """A list of movies; by default all movies, the largest id first."""

    filters: MovieFilter = field(default_factory=MovieFilter)
    order: MovieOrder = "id"
    #: The opposite order; unknown values stay last.
    is_reversed: bool = False
    #: `casts.id`: only movies with this person.
    person: int | None = None

    @property
    def keys(self) -> tuple[Key, ...]:
        """Return what the list is sorted by."""
        keys = _KEYS[self.order]
        return tuple(key.reversed() for key in keys) if self.is_reversed else keys

    def conditions(self, session: Session) -> list[ColumnElement[bool]]:
        """Return what rows of `movies` must fulfil; reads how many movies its genres have."""
        conditions = replace(self.filters, genres=()).conditions()
        conditions += conditions_of_genres(session, self.filters.genres)
        if self.person is not None:
            plays = select(MovieCast.movie_id).where(MovieCast.cast_id == self.person)
            # All of them are read and sorted: even of the busiest people they are few.
            conditions.append(Movie.id == any_(func.array(plays.scalar_subquery())))
        return conditions


@dataclass(frozen=True, slots=True)
class Part:
    """Consecutive rows of a list, by their ids in the database."""

    ids: list[int]
    #: Where the next part begins; None at the end of the list.
    position: Position | None
    #: Where the part before this one ends; None if this one is empty, or known to be the first.
    begin: Position | None = None


def find_movie_ids(session: Session, reference: str, limit: int) -> list[int]:
    """Return `movies.id` of the movie with a YTS id, or of those with an IMDb code."""
    code = has_imdb_code(reference)
    condition = Movie.external_id == int(reference) if code is None else code
    query = select(Movie.id).where(condition).order_by(Movie.external_id).limit(limit)
    return list(session.scalars(query))


def read_movie_part(
    session: Session, movies: MovieList, *, after: object = None, limit: int
) -> Part:
    """
    Return up to *limit* movies after the position *after*; None is the beginning.

    Raises:
        BadPosition: *after* is not a position in this list.
    """
    keys = movies.keys
    begin = None if after is None else read_position(keys, after)
    query = select(Movie.id, *(key.column for key in keys)).where(*movies.conditions(session))
    rows: list[Row[Any]] = []
    for segment in segments_of(keys, begin):
        ordered = query.where(*segment.conditions).order_by(*segment.order)
        rows += session.execute(ordered.limit(limit + 1 - len(rows)))
        if len(rows) > limit:
            break
    position: Position | None = tuple(rows[limit - 1][1:]) if len(rows) > limit else None
    return Part([row[0] for row in rows[:limit]], position, _position_of(rows))


def _position_of(rows: list[Row[Any]]) -> Position | None:
    """Return the position of the first row, if there is one."""
    return tuple(rows[0][1:]) if rows else None


def read_movies_before(session: Session, movies: MovieList, *, before: object, limit: int) -> Part:
    """
    Return the last *limit* movies before the position *before*, in the order of the list.

    Raises:
        BadPosition: *before* is not a position in this list.
    """
    keys = movies.keys
    query = select(Movie.id, *(key.column for key in keys)).where(*movies.conditions(session))
    rows: list[Row[Any]] = []
    for segment in segments_before(keys, read_position(keys, before)):
        ordered = query.where(*segment.conditions).order_by(*segment.order)
        rows += session.execute(ordered.limit(limit + 1 - len(rows)))
        if len(rows) > limit:
            break
    begin: Position | None = tuple(rows[limit - 1][1:]) if len(rows) > limit else None
    return Part([row[0] for row in reversed(rows[:limit])], _position_of(rows), begin)


def read_years(session: Session) -> tuple[int | None, int | None]:
    """Return the years of the oldest and the newest movies; None if no year is known."""
    oldest, newest = session.execute(select(func.min(Movie.year), func.max(Movie.year))).one()
    return oldest, newest


def read_movie_total(session: Session, movies: MovieList) -> int | None:
    """Return the length of a list from the counters; None where it would have to be counted."""
    if movies.person is not None:
        return None
    if movies.filters.is_empty:
        return count_present(session)
    match movies.filters.genres:
        case [name] if movies.filters == MovieFilter(genres=(name,)):
            return _genre_total(session, name)
    return None


def _genre_total(session: Session, name: str) -> int:
    """Return the number of movies of a genre, without those that are gone, which are few."""
    total = session.execute(movies_of_genres().where(Genre.name == name)).first()
    gone = (
        select(func.count())
        .select_from(Movie)
        .join(MovieGenre, MovieGenre.movie_id == Movie.id)
        .join(Genre)
        .where(Movie.gone_since.is_not(None), Genre.name == name)
    )
    return 0 if total is None else int(total.movies) - (session.scalar(gone) or 0)
