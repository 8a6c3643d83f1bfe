"""`save_vectors` and `build_indexes`: write the vectors of a space, and index them."""

import struct
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from io import BytesIO
from typing import Any

import psycopg2
from sqlalchemy import ARRAY, BigInteger, Engine, Select, bindparam, delete, func, select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.models import Movie, MovieEmbedding
from database.sql import table_of
from database.vectors.spaces import Space, index_name
from database.writing.search_documents import movie_documents

KINDS = ("recommend", "search")
#: Links of a vector in each layer of its index: fewer make it cheaper, and find less.
_LINKS = {"recommend": 16, "search": 12}
_COPY = (
    "COPY movie_embeddings (space_id, movie_id, document_hash, recommend, search) "
    "FROM STDIN (FORMAT binary)"
)
_HEADER = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)
#: Memory for building an index of up to 77,500 movies, and bytes for each movie beyond that.
#: Without enough memory, PostgreSQL adds entries one by one on disk, which takes hours for a
#: million.
_BUILD_MEGABYTES = 256
_BUILD_BYTES_PER_MOVIE = 2500


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


def drop_indexes(session: Session, space: Space) -> None:
    """Drop the indexes of *space* before many vectors are added; does not commit."""
    for kind in KINDS:
        session.execute(text(f"DROP INDEX IF EXISTS {index_name(kind, space.id)}"))


def refresh_statistics(session: Session) -> None:
    """Update the statistics of a table that has just been filled, before autovacuum would."""
    session.execute(text("ANALYZE movie_embeddings"))


def build_indexes(engine: Engine, space: Space, movies: int) -> None:
    """Create the missing indexes of *space*, which has *movies* movies; each commits."""
    megabytes = max(_BUILD_MEGABYTES, movies * _BUILD_BYTES_PER_MOVIE // 2**20)
    # Both at the same time, because this is the longest part of filling a space.
    with ThreadPoolExecutor(len(KINDS)) as executor:
        list(executor.map(lambda kind: _build_index(engine, space, kind, megabytes), KINDS))


def _build_index(engine: Engine, space: Space, kind: str, megabytes: int) -> None:
    # `database.search.nearest` uses the same expression and literal.
    statement = (
        f"CREATE INDEX IF NOT EXISTS {index_name(kind, space.id)} ON movie_embeddings "
        f"USING hnsw (({kind}::halfvec({space.dimensions(kind)})) halfvec_ip_ops) "
        f"WITH (m = {_LINKS[kind]}, ef_construction = 128) WHERE space_id = {space.id}"
    )
    with engine.begin() as connection:
        connection.execute(text(f"SET LOCAL maintenance_work_mem = '{megabytes}MB'"))
        # Parallel workers would share the graph in /dev/shm, which has 64 MB in containers.
        connection.execute(text("SET LOCAL max_parallel_maintenance_workers = 0"))
        connection.execute(text(statement))
