"""`save_documents`: the search document of a movie, written in the same transaction."""

from collections.abc import Collection
from functools import cache
from typing import Any

from sqlalchemy import (
    ColumnElement,
    FromClause,
    Integer,
    bindparam,
    cast,
    column,
    func,
    table,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from database.models import Movie
from database.sql import plan_once, table_of
from yts.payload import MoviePayload

#: A view of migration 0006, which defines a document.
movie_documents = table(
    "movie_documents",
    *map(column, ("movie_id", "title", "title_english", "year", "genres", "description", "casts")),
    column("document_hash"),
    column("search_vector"),
)


#: The parts of a payload that belong to the document but not to the movie's columns.
LINKED_NAMES = ("genre_names", "cast_names")


def linked_names(movie: MoviePayload) -> dict[str, list[str]]:
    """Return the names of genres and cast as in the view, if nothing else is linked."""
    genres = {genre for genre in movie.genres or () if genre}
    people = {person.name for person in movie.cast or () if person.name}
    return dict(zip(LINKED_NAMES, (sorted(genres), sorted(people)), strict=True))


def document_columns(source: FromClause) -> dict[str, ColumnElement[Any]]:
    """
    Return SQL for hash and vector of incoming movies, from their columns and `linked_names`.

    So a new movie is written once. If a person is stored with another spelling, or more is linked
    than the response has, `save_documents` corrects the document.
    """
    incoming = source.c
    genres, casts = (incoming[name] for name in LINKED_NAMES)
    described = func.nullif(incoming.description_full, "")
    description = func.coalesce(described, incoming.summary, "")
    parts = (incoming.title, incoming.title_english, genres, description, casts)
    return {
        "document_hash": func.document_hash(cast(incoming.year, Integer), *parts),
        "search_vector": func.document_vector(*parts),
    }


def save_documents(session: Session, row_ids: Collection[int]) -> int:
    """
    Bring the documents of these movies, by `movies.id`, up to date; return how many changed.

    Call it after every write to a movie, its genres or its cast. Does not commit.
    """
    if not row_ids:
        return 0
    return len(session.scalars(_statement(), {"row_ids": sorted(row_ids)}).all())


@cache
def _statement() -> ReturningUpdate[int]:
    movies = table_of(Movie)
    new = movie_documents.c
    row_ids = bindparam("row_ids", type_=ARRAY(movies.c.id.type))
    return plan_once(
        update(movies)
        .where(
            movies.c.id == func.any(row_ids),
            # Otherwise PostgreSQL may read all movies to join them.
            new.movie_id == func.any(row_ids),
            new.movie_id == movies.c.id,
            movies.c.document_hash.is_distinct_from(new.document_hash),
        )
        .values(search_vector=new.search_vector, document_hash=new.document_hash)
        .returning(movies.c.id)
    )
