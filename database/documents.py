"""What of a movie can be searched: written with it, in the same transaction."""

from collections.abc import Collection
from functools import cache

from sqlalchemy import bindparam, column, func, table, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from database.incoming import table_of
from database.models import Movie

#: A view of migration 0006, which says what a document is made of.
movie_documents = table(
    "movie_documents",
    *map(column, ("movie_id", "title", "title_english", "year", "genres", "description", "casts")),
    column("document_hash"),
    column("search_vector"),
)


def save_documents(session: Session, row_ids: Collection[int]) -> int:
    """
    Bring the documents of these movies, by `movies.id`, up to date; return how many changed.

    To be called after whatever writes a movie, its genres or its cast. Does not commit.
    """
    if not row_ids:
        return 0
    return len(session.scalars(_statement(), {"row_ids": sorted(row_ids)}).all())


@cache
def _statement() -> ReturningUpdate[int]:
    movies = table_of(Movie)
    new = movie_documents.c
    row_ids = bindparam("row_ids", type_=ARRAY(movies.c.id.type))
    return (
        update(movies)
        .where(
            movies.c.id == func.any(row_ids),
            new.movie_id == movies.c.id,
            movies.c.document_hash.is_distinct_from(new.document_hash),
        )
        .values(search_vector=new.search_vector, document_hash=new.document_hash)
        .returning(movies.c.id)
    )
