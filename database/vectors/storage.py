"""`read_documents`, `save_vectors`: read what vectors are made of, and write them."""

import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import psycopg2
from sqlalchemy import ARRAY, BigInteger, Select, bindparam, delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.sql import table_of
from database.vectors.spaces import Space
from database.writing.search_documents import movie_documents

_COPY = (
    "COPY movie_embeddings (space_id, movie_id, document_hash, recommend, search) "
    "FROM STDIN (FORMAT binary)"
)
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)


@dataclass(frozen=True, slots=True)
class Document:
    """The parts of a movie's document, and the hash of the document."""

    movie_id: int
    hash: str
    #: Whether the stored hash and search vector are missing or out of date.
    is_stale: bool
    title: str
    year: int | None
    genres: tuple[str, ...]
    description: str
    cast: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class VectorRow:
    """
    The vectors of one movie; None if nothing is known.

    Each vector is a sequence of 16-bit floats, most significant byte first.
    """

    movie_id: int
    document_hash: str
    recommend: bytes | None
    search: bytes | None


def read_documents(session: Session, movie_ids: Sequence[int]) -> list[Document]:
    """Return the documents of these movies, by `movies.id`; movies that are gone are left out."""
    rows = session.execute(_READ_DOCUMENTS, {"movie_ids": [*movie_ids]})
    return [
        Document(id_, hash_, hash_ != stored, title, year, tuple(genres), description, tuple(casts))
        for id_, hash_, stored, title, year, genres, description, casts in rows
    ]


def _read_documents() -> Select[int, str, str | None, str, int | None, list[str], str, list[str]]:
    view, movies = movie_documents.c, table_of(Movie).c
    wanted = bindparam("movie_ids", type_=ARRAY(BigInteger))
    names = ("title", "title_english", "genres", "description", "casts")
    # Materialized, otherwise PostgreSQL reads genres and cast again for the hash.
    parts = (
        select(view.movie_id, view.year, *(view[name] for name in names))
        .where(view.movie_id == func.any(wanted))
        .cte("parts")
        .prefix_with("MATERIALIZED")
    )
    hash_ = func.document_hash(parts.c.year, *(parts.c[name] for name in names))
    part = parts.c
    return select(
        part.movie_id, hash_, movies.document_hash,
        part.title, part.year, part.genres, part.description, part.casts,
    ).join(table_of(Movie), movies.id == part.movie_id)  # fmt: skip


_READ_DOCUMENTS = _read_documents()


def save_vectors(session: Session, space: Space, rows: Sequence[VectorRow]) -> None:
    """
    Replace the vectors of these movies in *space* with *rows*; does not commit.

    Only the holder of the embedding lock and its workers may call it.
    """
    session.execute(
        delete(MovieEmbedding).where(
            MovieEmbedding.space_id == space.id,
            MovieEmbedding.movie_id.in_([row.movie_id for row in rows]),
        )
    )
    # Numbers as text would take ten times as long, here and in PostgreSQL.
    cursor: Any = session.connection().connection.cursor()
    try:
        cursor.copy_expert(_COPY, BytesIO(_as_copied(space.id, rows)))
    except psycopg2.Error as error:  # The same class that SQLAlchemy raises.
        raise DBAPIError.instance(_COPY, None, error, psycopg2.Error) from error
    cursor.close()


def _as_copied(space_id: int, rows: Iterable[VectorRow]) -> bytes:
    parts = [_HEADER]
    for row in rows:
        hash_ = row.document_hash.encode()
        parts.append(struct.pack("!hiiiqi", 5, 4, space_id, 8, row.movie_id, len(hash_)))
        parts += [hash_, _field(row.recommend), _field(row.search)]
    return b"".join([*parts, _TRAILER])


def _field(vector: bytes | None) -> bytes:
    if vector is None:
        return struct.pack("!i", -1)
    return struct.pack("!ihh", len(vector) + 4, len(vector) // 2, 0) + vector
