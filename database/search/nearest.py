"""`read_nearest`: the movies whose vectors are nearest to a given one, in one space."""

from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Select, literal_column, select, text
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.search.filters import MovieFilter
from database.sql import plan_once
from database.vectors.spaces import Space

VectorColumn = Literal["recommend", "search"]
#: Number of index entries that are compared: more find more of the true neighbours.
_LOOKED_AT = {"recommend": 200, "search": 200}
#: The maximum of pgvector.
_MOST_LOOKED_AT = 1000
# Column and space must be written as in the index, and the limit as a number, otherwise PostgreSQL
# does not use the index. Gone movies are removed afterwards, because a condition inside would lose
# neighbours.
_BY_INDEX = """
    SET LOCAL hnsw.ef_search = {looked_at};
    WITH nearest AS MATERIALIZED (
        SELECT movie_id, {column} <#> {operand} AS distance
        FROM movie_embeddings WHERE space_id = {space_id}
        ORDER BY {column} <#> {operand} LIMIT {limit}
    )
    SELECT movie_id, distance FROM nearest JOIN movies ON id = movie_id
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

    With *filters*, all matching movies are compared; otherwise the index is used, which misses a
    few.
    """
    if filters.is_empty:
        looked_at = min(max(_LOOKED_AT[target.kind], 2 * limit), _MOST_LOOKED_AT)
        by_index = _BY_INDEX.format(
            looked_at=looked_at,
            column=f"({target.kind}::halfvec({target.space.dimensions(target.kind)}))",
            space_id=target.space.id,
            operand=target.operand,
            limit=limit,
        )
        rows = session.execute(plan_once(text(by_index)), target.parameters)
    else:
        rows = session.execute(_exact(target, filters, limit), target.parameters)
    return [(row_id, -distance) for row_id, distance in rows]


def _exact(target: Target | MovieTarget, filters: MovieFilter, limit: int) -> Select[int, float]:
    # The index ignores conditions, and would return only a few matching movies, or none.
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
    return (
        select(matching.c.movie_id, text(f"matching.vector <#> {target.operand} AS distance"))
        .order_by(literal_column("distance"), matching.c.movie_id)
        .limit(limit)
    )
