"""`read_nearest`, `nearest_query`: the movies whose vectors are nearest, in one space."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from sqlalchemy import (
    BigInteger,
    Double,
    Select,
    TextualSelect,
    column,
    literal_column,
    select,
    text,
)
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.search.filters import MovieFilter
from database.sql import plan_once
from database.vectors.indexes import LISTS
from database.vectors.spaces import Space

VectorColumn = Literal["recommend", "search"]
#: Number of entries of an HNSW index that are compared: more find more of the true neighbours.
_LOOKED_AT = {"recommend": 220, "search": 300}
#: The maximum of pgvector.
_MOST_LOOKED_AT = 1000
#: An IVFFlat index divides the vectors into lists. This is the number of lists that a query reads
#: for up to 250 results; it grows with the number of results.
_PROBED, _RESULTS_OF_PROBED = {"recommend": 12, "search": 26}, 250
# Column and space must be written as in the index, and the limit as a number, otherwise PostgreSQL
# does not use the index. The inner query reads `setting`, so that the numbers are set before it
# begins. Gone movies are removed afterwards, because a condition inside would lose neighbours.
_BY_INDEX = """
    SELECT movie_id, distance
    FROM (
        SELECT set_config('hnsw.ef_search', '{looked_at}', true)
            || set_config('ivfflat.probes', '{probed}', true) AS looked_at
    ) AS setting
    CROSS JOIN LATERAL (
        SELECT movie_id, {column} <#> {operand} AS distance
        FROM movie_embeddings WHERE space_id = {space_id} AND looked_at IS NOT NULL
        ORDER BY {column} <#> {operand} LIMIT {limit}
    ) AS nearest JOIN movies ON id = movie_id
    WHERE distance IS NOT NULL AND gone_since IS NULL
    ORDER BY distance, movie_id"""


@dataclass(frozen=True, slots=True)
class MovieTarget:
    """The vector of a stored movie to compare others with; PostgreSQL reads it."""

    space: Space
    kind: VectorColumn
    row_id: int

    @property
    def operand(self) -> str:
        """The vector in SQL, with `parameters`; null if the movie has none."""
        of_movie = f"space_id = {self.space.id} AND movie_id = :row_id"
        return f"(SELECT {self.kind} FROM movie_embeddings WHERE {of_movie})"  # noqa: S608 -- a number

    @property
    def parameters(self) -> dict[str, int]:
        """The parameters of `operand`."""
        return {"row_id": self.row_id}


@dataclass(frozen=True, slots=True)
class Target:
    """The vector to compare others with."""

    space: Space
    kind: VectorColumn
    vector: tuple[float, ...]

    @property
    def as_text(self) -> str:
        """The vector as text for pgvector."""
        return f"[{','.join(format(number, '.6g') for number in self.vector)}]"

    @property
    def operand(self) -> str:
        """The vector in SQL, with `parameters`."""
        return ":vector"

    @property
    def parameters(self) -> dict[str, str]:
        """The parameters of `operand`."""
        return {"vector": self.as_text}


def read_nearest(
    session: Session, target: Target | MovieTarget, filters: MovieFilter, limit: int
) -> list[tuple[int, float]]:
    """
    Return `movies.id` and inner product of the nearest movies, the nearest first.

    With *filters*, or without an index, all matching movies are compared; otherwise the index is
    used, which misses a few.
    """
    query = nearest_query(target.space, target.kind, target.operand, filters, limit)
    return [(row_id, -distance) for row_id, distance in session.execute(query, target.parameters)]


@lru_cache(maxsize=32)
def nearest_query(
    space: Space, kind: VectorColumn, operand: str, filters: MovieFilter, limit: int
) -> Select[int, float] | TextualSelect:
    """Return the query for `movie_id` and `distance` of the movies nearest to *operand* (SQL)."""
    if not filters.is_empty:
        return _exact(space, kind, operand, filters, limit)
    by_index = _BY_INDEX.format(
        looked_at=min(max(_LOOKED_AT[kind], 2 * limit), _MOST_LOOKED_AT),
        probed=min(_PROBED[kind] * max(1, limit // _RESULTS_OF_PROBED), LISTS),
        column=f"({kind}::halfvec({space.dimensions(kind)}))",
        space_id=space.id,
        operand=operand,
        limit=limit,
    )
    query = text(by_index).columns(column("movie_id", BigInteger), column("distance", Double))
    return plan_once(query)


def _exact(
    space: Space, kind: VectorColumn, operand: str, filters: MovieFilter, limit: int
) -> Select[int, float]:
    # The index ignores conditions, and would return only a few matching movies, or none.
    vector = getattr(MovieEmbedding, kind)
    matching = (
        select(MovieEmbedding.movie_id, vector.label("vector"))
        .join(Movie, Movie.id == MovieEmbedding.movie_id)
        .where(MovieEmbedding.space_id == space.id, vector.is_not(None), *filters.conditions())
        .cte("matching")
        .prefix_with("MATERIALIZED")
    )
    distance = text(f"matching.vector <#> {operand} AS distance")
    return (
        select(matching.c.movie_id, distance)
        .order_by(literal_column("distance"), matching.c.movie_id)
        .limit(limit)
    )
