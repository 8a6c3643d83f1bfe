"""`read_counts`: numbers of rows that triggers keep up to date, see migrations 0004 and 0008."""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import ScalarSelect, Select, case, func, select
from sqlalchemy.orm import Session

from database.models import CatalogueCount, EmbeddingSpace, Genre
from database.sql import table_of

_counts = table_of(CatalogueCount).c


@dataclass(frozen=True, slots=True)
class Counts:
    """The numbers of rows that this transaction sees."""

    movies: int
    movies_with_details: int
    gone_movies: int
    #: Mean of the rated movies, to two places; None if there are none.
    average_rating: float | None
    casts: int
    torrents: int
    #: Movies with a row of vectors in the given space.
    movies_with_vectors: int


def read_counts(session: Session) -> Counts:
    """Return all counts except the movies of each genre."""
    rows = session.execute(_READ_COUNTS).all()
    # A count that never changed has no row.
    values: dict[str, Decimal] = {name: value for name, value, _ in rows}
    space_id = rows[0][2] if rows else None
    ratings = int(values.get("movies.rating", 0))
    return Counts(
        movies=int(values.get("movies", 0)),
        movies_with_details=int(values.get("movies.details_fetched_at", 0)),
        gone_movies=int(values.get("movies.gone_since", 0)),
        average_rating=_average(values["movies.sum(rating)"], ratings) if ratings else None,
        casts=int(values.get("casts", 0)),
        torrents=int(values.get("torrents", 0)),
        movies_with_vectors=int(values.get(f"movie_embeddings.{space_id}", 0)),
    )


def read_movie_count(session: Session) -> int:
    """Return the number of movies alone, those that are gone included."""
    return int(session.scalar(_READ_MOVIE_COUNT) or 0)


def count_present(session: Session) -> int:
    """Return how many stored movies are not marked gone."""
    return int(session.scalar(_COUNT_PRESENT) or 0)


def count_of(name: str) -> ScalarSelect[Decimal]:
    """Return the SQL expression of one count; `read_counts` has the names."""
    total = func.coalesce(func.sum(_counts.value), 0)
    return select(total).where(_counts.name == name).scalar_subquery()


def count_of_present() -> ScalarSelect[Decimal]:
    """Return the SQL expression for the number of movies that are not marked gone."""
    signed = case((_counts.name == "movies", _counts.value), else_=-_counts.value)
    total = func.coalesce(func.sum(signed), 0)
    names = ("movies", "movies.gone_since")
    return select(total).where(_counts.name.in_(names)).scalar_subquery()


_spaces = table_of(EmbeddingSpace).c
_READ_COUNTS = select(
    _counts.name,
    func.sum(_counts.value),
    select(_spaces.id).where(_spaces.is_active).scalar_subquery(),
).group_by(_counts.name)
_READ_MOVIE_COUNT = select(count_of("movies"))
_COUNT_PRESENT = select(count_of_present())


def movies_of_genres() -> Select[str, Decimal]:
    """Return a query for `name` and `movies` of each genre with movies."""
    movies, genres = func.sum(_counts.value), table_of(Genre).c
    return (
        select(genres.name, movies.label("movies"))
        .join(table_of(CatalogueCount), _counts.name == func.concat("movie_genres.", genres.id))
        .group_by(genres.id)
        .having(movies > 0)
    )


def _average(total: Decimal, count: int) -> float:
    # As PostgreSQL rounds.
    return float((total / count).quantize(Decimal("0.01"), ROUND_HALF_UP))
