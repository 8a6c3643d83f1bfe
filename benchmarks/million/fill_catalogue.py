"""Fill a migrated database with a large catalogue, made by the server itself."""

import random
from collections.abc import Callable
from contextlib import closing

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 -- a class
from psycopg2.extensions import cursor as Cursor  # noqa: N812 -- a class
from psycopg2.extras import execute_values

from benchmarks.million.rows_sql import BOOKKEEPING, DOCUMENTS, LINKS, MOVIES, TEXTS
from database.db import DatabaseManager
from database.search.word_counts import refresh_words
from sandbox.catalogue import words

_SEED = 1
_MOVIES_AT_A_TIME = 50_000
_FILLED = ("movies", "torrents", "movie_genres", "movie_casts", "casts")
#: All but what belongs to a constraint.
_INDEXES = """
    SELECT indexrelid::regclass::text, pg_get_indexdef(indexrelid) FROM pg_index
    WHERE indrelid = ANY (%s::regclass[])
        AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid)
"""


def vocabulary() -> list[str]:
    """Return words from the most common to the rarest; the same ones every time."""
    random_for = random.Random(_SEED)  # noqa: S311 -- a vocabulary is no secret
    plain = {*words.ADJECTIVES, *words.NOUNS, *words.FIRST_NAMES, *words.LAST_NAMES}
    joined = {first + second for first in words.ADJECTIVES for second in words.NOUNS}
    return [
        *(word.lower() for word in random_for.sample(sorted(plain), len(plain))),
        *(word.lower() for word in random_for.sample(sorted(joined), len(joined))),
    ]


def fill(url: str, movies: int, tell: Callable[[str], None]) -> None:
    """
    Store *movies* movies with all that belongs to them, as after a complete mirror.

    Indexes are made again afterwards, and references are not checked: they are right.
    """
    with closing(psycopg2.connect(url)) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("SET synchronous_commit = off")
            cursor.execute("SET maintenance_work_mem = '512MB'")
            _make_texts(cursor, movies)
            indexes = _drop_indexes(cursor)
            _check_references(cursor, is_on=False)
            for first in range(1, movies + 1, _MOVIES_AT_A_TIME):
                last = min(first + _MOVIES_AT_A_TIME - 1, movies)
                _store(cursor, first, last, movies)
                tell(f"  {last:,} movies")
                # Of tables without statistics PostgreSQL would read each for every document.
                cursor.execute("ANALYZE movies, genres, casts, movie_genres, movie_casts")
                cursor.execute(DOCUMENTS, {"first": first, "last": last})
            for definition in indexes:
                cursor.execute(definition)
            _check_references(cursor, is_on=True)
            cursor.execute(BOOKKEEPING, {"movies": movies})
            tell("  indexes")
        _settle(connection)
    with DatabaseManager(url) as db, db.get_session() as session:
        refresh_words(session)


def _make_texts(cursor: Cursor, movies: int) -> None:
    known = vocabulary()
    cursor.execute("SELECT setseed(0.5)")
    cursor.execute("CREATE TEMP TABLE words (rank int PRIMARY KEY, word text)")
    execute_values(cursor, "INSERT INTO words VALUES %s", list(enumerate(known, 1)))
    phrases = max(1000, movies // 5)
    cursor.execute(TEXTS, {"words": len(known), "phrases": phrases})
    people = [f"{first} {last}" for first in words.FIRST_NAMES for last in words.LAST_NAMES]
    cursor.execute("CREATE TEMP TABLE names (id int PRIMARY KEY, name text)")
    execute_values(cursor, "INSERT INTO names VALUES %s", list(enumerate(people, 1)))
    genres = [(genre,) for genre in words.GENRES]
    execute_values(cursor, "INSERT INTO genres (name) VALUES %s", genres)


def _store(cursor: Cursor, first: int, last: int, movies: int) -> None:
    told = {"first": first, "last": last, "movies": movies, "genres": len(words.GENRES)}
    for statement in (MOVIES, *LINKS):
        cursor.execute(statement, told)


def _drop_indexes(cursor: Cursor) -> list[str]:
    """Drop what takes long to fill one by one, and return how to make it again."""
    cursor.execute(_INDEXES, (list(_FILLED),))
    found = cursor.fetchall()
    for name, _ in found:
        cursor.execute(f"DROP INDEX {name}")
    return [definition for _, definition in found]


def _check_references(cursor: Cursor, *, is_on: bool) -> None:
    """Switch the triggers of foreign keys; those that count stay on."""
    for table in _FILLED:
        cursor.execute(f"ALTER TABLE {table} {'ENABLE' if is_on else 'DISABLE'} TRIGGER ALL")
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")


def _settle(connection: Connection) -> None:
    """Do what autovacuum would have done by the next day."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
        cursor.execute("CHECKPOINT")
