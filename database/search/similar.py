"""`similar_movies`: the movies with the nearest vectors; high ratings move up a little."""

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.search.filters import MovieFilter
from database.search.nearest import Target, read_nearest
from database.vectors.spaces import read_active_space

#: Number of nearest movies that are ranked again with their ratings.
_RANKED_AGAIN = 100
#: Bonus for one point of rating, and the rating without a bonus.
_RATING_WEIGHT, _NEUTRAL_RATING = 0.02, 6.5
_NONE_AT_ALL = "No vectors have been made yet; make them with: python embed_movies.py"
_NONE_OF_THIS = (
    "This movie has no vector: it came after the last were made, or nothing is known of it. Make "
    "those that are missing with: python embed_movies.py"
)


class NoVector(Exception):
    """The movie has no vector; the argument says why, and what to do."""


@dataclass(frozen=True, slots=True)
class Near:
    """A movie that is similar to another one."""

    #: `movies.id`.
    row_id: int
    #: Inner product of both vectors; at most 1.
    similarity: float
    #: The score for ranking.
    score: float


def similar_movies(
    session: Session, row_id: int, *, filters: MovieFilter | None = None, limit: int = 10
) -> list[Near]:
    """
    Return the movies most like the one with `movies.id` *row_id*, the best first.

    Among the nearest 100, movies with higher ratings move up a little. The movie itself and other
    entries of the same film are left out, and no film comes twice.

    Raises:
        NoVector: there are no vectors yet, or nothing is known about this movie.
    """
    space = read_active_space(session)
    if space is None:
        raise NoVector(_NONE_AT_ALL)
    own = select(MovieEmbedding.recommend).where(
        MovieEmbedding.space_id == space.id, MovieEmbedding.movie_id == row_id
    )
    if (vector := session.scalar(own)) is None:
        raise NoVector(_NONE_OF_THIS)
    target = Target(space, "recommend", tuple(vector))
    nearest = read_nearest(
        session, target, filters or MovieFilter(), max(_RANKED_AGAIN, 2 * limit) + 1
    )
    return _rank(session, row_id, dict(nearest))[:limit]


def _rank(session: Session, row_id: int, similarities: dict[int, float]) -> list[Near]:
    rows = session.execute(
        select(
            Movie.id, Movie.imdb_code, func.search_key(Movie.title), Movie.year, Movie.rating
        ).where(Movie.id.in_([row_id, *similarities]))
    ).all()
    # Entries of one film have the same IMDb code, or the same title and year.
    films = {id_: {code, (title, year)} - {None} for id_, code, title, year, _ in rows}
    ratings = {id_: _NEUTRAL_RATING if rating is None else rating for id_, _, _, _, rating in rows}
    scored = [
        Near(id_, similarity, similarity + _RATING_WEIGHT * (ratings[id_] - _NEUTRAL_RATING))
        for id_, similarity in similarities.items()
    ]
    seen = set(films[row_id])
    best = []
    for near in sorted(scored, key=lambda near: (-near.score, near.row_id)):
        if near.row_id != row_id and not films[near.row_id] & seen:
            best.append(near)
            seen |= films[near.row_id]
    return best
