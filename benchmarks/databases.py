"""
`open_databases`: one PostgreSQL with a fresh database for each run.

`read_rows` and `check_rows` look at what a run stored.
"""

import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2 import sql
from sqlalchemy import URL

from benchmarks.api_process import ApiProcess
from benchmarks.prepared_catalogue import Truth
from database.embedded.server import open_embedded

_COUNT = """
    SELECT (SELECT count(*) FROM movies), (SELECT count(*) FROM torrents),
           (SELECT count(*) FROM movie_casts), (SELECT count(*) FROM movie_genres),
           (SELECT md5(coalesce(string_agg(
                external_id || ':' || title, chr(10) ORDER BY external_id), ''))
            FROM movies WHERE external_id <> ALL (%s::int[]))
"""
#: Connected sessions may not have reported all their counts yet.
_OTHERS = """
    SELECT count(*) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
"""
_WRITTEN = """
    SELECT (SELECT count(*) FROM movies), (SELECT count(*) FROM casts), deadlocks
    FROM pg_stat_database WHERE datname = current_database()
"""
_LAST_RUN = """
    SELECT extract(epoch FROM finished_at - started_at)::float8
    FROM fetch_runs ORDER BY id DESC LIMIT 1
"""


@dataclass(frozen=True, slots=True)
class Written:
    """Rows that writers saved in a database of this project, and their deadlocks."""

    movies: int
    people: int
    deadlocks: int


class Databases:
    """Creates and drops databases on one server."""

    def __init__(self, server: URL) -> None:
        """Use *server*, which has the usual settings: fsync and synchronous_commit are on."""
        self._server = server

    def fresh(self, name: str) -> str:
        """Return the URL of the empty database *name*; an older one of that name is dropped."""
        self.drop(name)
        self._run(sql.SQL("CREATE DATABASE {} TEMPLATE template0").format(sql.Identifier(name)))
        # This contestant must not wait for writes of earlier ones.
        self._run(sql.SQL("CHECKPOINT"))
        return _libpq_url(self._server.set(database=name))

    def drop(self, name: str) -> None:
        """Drop the database *name*, even if sessions are connected."""
        self._run(sql.SQL("DROP DATABASE IF EXISTS {} (FORCE)").format(sql.Identifier(name)))

    def version(self) -> str:
        """Return the server's version."""
        with closing(psycopg2.connect(_libpq_url(self._server))) as connection:
            return f"{connection.server_version // 10000}.{connection.server_version % 10000}"

    def _run(self, statement: sql.SQL | sql.Composed) -> None:
        with closing(psycopg2.connect(_libpq_url(self._server))) as connection:
            connection.autocommit = True
            with connection.cursor() as cursor:
                cursor.execute(statement)


@contextmanager
def open_databases() -> Iterator[Databases]:
    """Start a server in a temporary home; both are removed at the end of the block."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        # If root starts it, PostgreSQL runs as another user, which must be able to enter.
        Path(folder).chmod(0o711)
        with open_embedded(Path(folder) / "home") as server:
            yield Databases(server.url)


def read_rows(url: str, schema: str, untitled: Sequence[int]) -> Truth | None:
    """Return the totals of a contestant in *schema*; None if its tables do not exist."""
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(sql.SQL("SET search_path TO {}").format(sql.Identifier(schema)))
        try:
            cursor.execute(_COUNT, (list(untitled),))
        except psycopg2.errors.UndefinedTable:
            return None
        row: Any = cursor.fetchone()
        return Truth(*row)


def check_rows(url: str, api: ApiProcess, *, with_cast: bool) -> bool:
    """Return whether this program stored exactly what *api* lists."""
    return read_rows(url, "public", api.untitled) == api.truth(with_cast=with_cast)


def read_written(url: str) -> Written:
    """Return what writers saved, after all of them have disconnected."""
    while _read_row(url, _OTHERS) != (0,):
        time.sleep(0.05)
    return Written(*_read_row(url, _WRITTEN))


def read_seconds_of_last_run(url: str) -> float:
    """Return how long the row of the last run was open, which is the work without the start-up."""
    seconds: float = _read_row(url, _LAST_RUN)[0]
    return seconds


def _read_row(url: str, query: str) -> tuple[Any, ...]:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        row: Any = cursor.fetchone()
        return tuple(row)


def _libpq_url(url: URL) -> str:
    return url.set(drivername="postgresql").render_as_string(hide_password=False)
