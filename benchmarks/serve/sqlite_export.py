"""`export_movies`: the movies of a mirror as a SQLite file, as Datasette serves it."""

import json
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from benchmarks.serve.reading import read_all
from database.serving.prepared import Reading
from database.serving.yts_lists import YtsList
from database.serving.yts_reads import read_ids, read_movies

_AT_A_TIME = 1000
#: Columns with JSON, which Datasette returns as such if asked.
NESTED = ("genres", "torrents")


def export_movies(url: URL, path: Path) -> None:
    """Write a table `movies` with the fields of the YTS API; genres and torrents are JSON."""
    with closing(sqlite3.connect(path)) as export:
        read_all(url, partial(_export, export))
        export.commit()


async def _export(export: sqlite3.Connection, reading: Reading) -> None:
    _, ids = await read_ids(reading, YtsList(is_ascending=True))
    for first in range(0, len(ids), _AT_A_TIME):
        part = ids[first : first + _AT_A_TIME].tolist()
        _, movies = await read_movies(reading, part, ["-"] * len(part))
        _insert(export, [json.loads(movie.json) for movie in movies if movie.json])


def _insert(export: sqlite3.Connection, movies: list[dict[str, object]]) -> None:
    names = list(movies[0])
    columns = ", ".join("id INTEGER PRIMARY KEY" if name == "id" else name for name in names)
    export.execute(f"CREATE TABLE IF NOT EXISTS movies ({columns})")
    values = (
        [json.dumps(movie[name]) if name in NESTED else movie[name] for name in names]
        for movie in movies
    )
    places = ", ".join("?" * len(names))
    export.executemany(f"INSERT INTO movies VALUES ({places})", values)  # noqa: S608
