"""`read_nearest`: the movies whose vectors are nearest to a given one, in one space."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Float, Select, literal_column, select, text
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.search.filters import MovieFilter
from database.vectors.spaces import Space

VectorColumn = Literal["recommend", "search"]
#: How many of an index's entries are looked at: more find more of the true neighbours.
_LOOKED_AT = {"recommend": 200, "search": 400}
#: As much as pgvector allows.
_MOST_LOOKED_AT = 1000


@dataclass(frozen=True, slots=True)
class Target:
    """The vector that others are compared with."""

    space: Space
    kind: VectorColumn
    vector: tuple[float, ...]

    @property
    def as_text(self) -> str:
        """The vector as pgvector reads it."""
        return f"[{','.join(format(number, '.6g') for number in self.vector)}]"


def read_nearest(
    session: Session, target: Target, filters: MovieFilter, limit: int
) -> list[tuple[int, float]]:
    """
    Return `movies.id` and inner product of the nearest movies, the nearest first.

    With *filters*, exactly those; otherwise by the index, which misses a few.
    """
    if filters.is_empty:
        looked_at = min(max(_LOOKED_AT[target.kind], 2 * limit), _MOST_LOOKED_AT)
        session.execute(text(f"SET LOCAL hnsw.ef_search = {looked_at}"))
        query = _by_index(target, filters, limit)
    else:
        query = _exact(target, filters, limit)
    return [(row_id, -distance) for row_id, distance in session.execute(query)]


def _by_index(target: Target, filters: MovieFilter, limit: int) -> Select[int, float]:
    # Expression and literal as the index has them, or PostgreSQL does not know the one from the
    # other. Which movies are gone is asked afterwards: a condition here would cost neighbours.
    vector = f"{target.kind}::halfvec({target.space.dimensions(target.kind)})"
    distance = literal_column(f"({vector}) <#> '{target.as_text}'", Float())
    nearest = (
        select(MovieEmbedding.movie_id, distance.label("distance"))
        .where(literal_column(f"space_id = {target.space.id}"))
        .order_by(distance)
        .limit(limit)
        .cte("nearest")
        .prefix_with("MATERIALIZED")
    )
    return (
        select(nearest.c.movie_id, nearest.c.distance)
        .join(Movie, Movie.id == nearest.c.movie_id)
        .where(nearest.c.distance.is_not(None), *filters.conditions())
        .order_by(nearest.c.distance, nearest.c.movie_id)
    )


def _exact(target: Target, filters: MovieFilter, limit: int) -> Select[int, float]:
    # An index knows nothing of conditions, and would give a few of them, or none.
    column = getattr(MovieEmbedding, target.kind)
    matching = (
        select(MovieEmbedding.movie_id, column.label("vector"))
        .join(Movie, Movie.id == MovieEmbedding.movie_id)
        .where(
            MovieEmbedding.space_id == target.space.id, column.is_not(None), *filters.conditions()
        )
        .cte("matching")
        .prefix_with("MATERIALIZED")
    )
    distance = literal_column(f"matching.vector <#> '{target.as_text}'", Float()).label("distance")
    return (
        select(matching.c.movie_id, distance)
        .order_by(literal_column("distance"), matching.c.movie_id)
        .limit(limit)
    )
