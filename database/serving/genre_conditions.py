"""`conditions_of_genres`: the SQL conditions for movies of genres, by how many movies have them."""

from collections.abc import Sequence
from math import prod

from sqlalchemy import ColumnElement, Select, any_, false, func, select
from sqlalchemy.orm import Session

from database.counts import movies_of_genres, read_movie_count
from database.models import Genre, Movie, MovieGenre
from database.sql import table_of

#: Movies that can be read and sorted in a few milliseconds.
_FEW_MOVIES = 3000


def conditions_of_genres(session: Session, names: Sequence[str]) -> list[ColumnElement[bool]]:
    """Return the conditions for movies that have all these genres."""
    if not names:
        return []
    query = movies_of_genres().add_columns(Genre.id).where(Genre.name.in_(names))
    movies = {genre_id: int(count) for _name, count, genre_id in session.execute(query)}
    if len(movies) < len({*names}):
        return [false()]
    # With the ids, PostgreSQL knows how common a genre is, but not whether its movies are at the
    # end of the list: of few movies, all are read and sorted.
    if _expected(session, [*movies.values()]) <= _FEW_MOVIES:
        return [Movie.id == any_(func.array(_movies_of_all([*movies]).scalar_subquery()))]
    return [Movie.id.in_(_movies_of_all([genre_id])) for genre_id in movies]


def _expected(session: Session, counts: Sequence[int]) -> float:
    """Return how many movies have all of some genres, if those of each are spread evenly."""
    if min(counts) <= _FEW_MOVIES or len(counts) == 1:
        return min(counts)
    total = max(1, read_movie_count(session))
    return total * prod(count / total for count in counts)


def _movies_of_all(genre_ids: Sequence[int]) -> Select[int]:
    """Return a query for `movies.id` of the movies that have all these genres."""
    first, *others = (table_of(MovieGenre).alias() for _ in genre_ids)
    query = select(first.c.movie_id)
    for other in others:
        query = query.join(other, other.c.movie_id == first.c.movie_id)
    links = zip((first, *others), genre_ids, strict=True)
    return query.where(*(link.c.genre_id == genre_id for link, genre_id in links))
