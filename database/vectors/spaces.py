"""
`Space`: the vectors of one model with one recipe; vectors of different spaces are never compared.

Queries use the active space. A new space is filled while the active one is used, and then becomes
active in one transaction. The previous space stays until the next one is filled, for running
queries.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, fields
from pathlib import Path

from sqlalchemy import Engine, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.connection.advisory_locks import AdvisoryLock, releasing, take_lock
from database.models import EmbeddingSpace, Movie, MovieEmbedding
from database.sql import plan_once, table_of

#: Prefix of the names of all vector indexes, which are created and dropped with their space.
INDEX_PREFIX = "idx_movie_embeddings_vector_"

#: For models of many languages: the least cosine between a query that means something and the
#: movie nearest to it. For other models, the words of the query decide.
_LEAST_COSINES = {"use": 0.30}


class EmbeddingLockHeld(Exception):
    """Another process is making vectors for this database."""


@dataclass(frozen=True, slots=True)
class Space:
    """One row of `embedding_spaces`."""

    id: int
    model: str
    model_folder: str | None
    model_hash: str
    recipe: int
    recommend_dimensions: int
    search_dimensions: int
    is_active: bool

    @property
    def source(self) -> Path | str:
        """Folder of the model's files, or the model's name if a package has them."""
        return self.model if self.model_folder is None else Path(self.model_folder)

    @property
    def least_cosine(self) -> float | None:
        """Least cosine of a query whose words no movie has; None if such a query means nothing."""
        return _LEAST_COSINES.get(self.model)

    def dimensions(self, kind: str) -> int:
        """Return the length of the vectors in the column *kind*, recommend or search."""
        return self.recommend_dimensions if kind == "recommend" else self.search_dimensions


#: Of columns alone: this is read for each search, and objects of the ORM cost more.
_READ_ACTIVE = plan_once(
    select(*(table_of(EmbeddingSpace).c[each.name] for each in fields(Space))).where(
        table_of(EmbeddingSpace).c.is_active
    )
)


@contextmanager
def hold_embedding_lock(engine: Engine) -> Iterator[None]:
    """
    Hold the lock for making vectors for this database while the block runs.

    Raises:
        EmbeddingLockHeld: another process makes vectors.
    """
    with engine.connect() as connection:
        with connection.begin():
            if not take_lock(connection, AdvisoryLock.EMBEDDING):
                raise EmbeddingLockHeld
        with releasing(connection, AdvisoryLock.EMBEDDING):
            yield


def read_active_space(session: Session) -> Space | None:
    """Return the active space, or None if no space has been filled yet."""
    row = session.execute(_READ_ACTIVE).one_or_none()
    return None if row is None else Space(*row)


def find_or_create_space(
    session: Session,
    *,
    model: str,
    model_folder: str | None,
    model_hash: str,
    recipe: int,
    recommend_dimensions: int,
    search_dimensions: int,
) -> Space:
    """Return the space of this model and recipe; create it if necessary. Does not commit."""
    statement = insert(EmbeddingSpace).values(
        model=model,
        model_folder=model_folder,
        model_hash=model_hash,
        recipe=recipe,
        recommend_dimensions=recommend_dimensions,
        search_dimensions=search_dimensions,
        is_active=False,
    )
    row = session.scalars(
        statement.on_conflict_do_update(
            index_elements=["model_hash", "recipe"],
            set_={"model": model, "model_folder": model_folder},
        ).returning(EmbeddingSpace)
    ).one()
    return _space(row)


def read_stale_movies(session: Session, space_id: int) -> list[int]:
    """Return `movies.id` of all movies whose vectors in this space are missing or out of date."""
    # Of columns alone, as above: every fetch asks at its end.
    movies, vectors = table_of(Movie).c, table_of(MovieEmbedding).c
    embedded = (vectors.movie_id == movies.id) & (vectors.space_id == space_id)
    is_stale = vectors.document_hash.is_distinct_from(movies.document_hash)
    rows = session.scalars(
        select(movies.id)
        .select_from(table_of(Movie).outerjoin(table_of(MovieEmbedding), embedded))
        .where(is_stale | movies.document_hash.is_(None))
        .order_by(movies.id)
    )
    return list(rows)


def read_all_movies(session: Session) -> list[int]:
    """Return `movies.id` of all movies."""
    return list(session.scalars(select(Movie.id).order_by(Movie.id)))


def count_vectors(session: Session, space_id: int) -> int:
    """Return how many movies have been embedded in this space."""
    rows = select(func.count()).where(MovieEmbedding.space_id == space_id)
    return session.scalar(rows) or 0


def activate(session: Session, space: Space) -> None:
    """Make *space* the active one for the next queries; does not commit."""
    session.execute(
        update(EmbeddingSpace)
        .where(EmbeddingSpace.is_active, EmbeddingSpace.id != space.id)
        .values(is_active=False)
    )
    session.execute(
        update(EmbeddingSpace).where(EmbeddingSpace.id == space.id).values(is_active=True)
    )


def forget_other_spaces(session: Session, kept: Space) -> None:
    """Delete all spaces except the active one and *kept*, with their vectors; does not commit."""
    others = session.scalars(
        select(EmbeddingSpace.id).where(
            EmbeddingSpace.is_active.is_(False), EmbeddingSpace.id != kept.id
        )
    ).all()
    for space_id in others:
        for kind in ("recommend", "search"):
            session.execute(text(f"DROP INDEX IF EXISTS {index_name(kind, space_id)}"))
    if others:
        session.execute(delete(EmbeddingSpace).where(EmbeddingSpace.id.in_(others)))


def index_name(kind: str, space_id: int) -> str:
    """Return the name of a space's index over its vectors of this kind."""
    return f"{INDEX_PREFIX}{kind}_{space_id}"


def _space(row: EmbeddingSpace) -> Space:
    return Space(
        row.id,
        row.model,
        row.model_folder,
        row.model_hash,
        row.recipe,
        row.recommend_dimensions,
        row.search_dimensions,
        row.is_active,
    )
