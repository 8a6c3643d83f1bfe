"""`export_movies`: the movies of a mirror as a SQLite file, as Datasette serves it."""

import json
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path

from sqlalchemy import URL

from database.serving.read_only import ReadOnlyDatabase
from database.serving.yts_lists import YtsList
from database.serving.yts_reads import read_ids, read_movies

_AT_A_TIME = 1000
#: Columns with JSON, which Datasette returns as such if asked.
NESTED = ("genres", "torrents")


def export_movies(url: URL, path: Path) -> None:
    """Write a table `movies` with the fields of the YTS API; genres and torrents are JSON."""
    database = ReadOnlyDatabase(url, 1)
    everything = YtsList(is_ascending=True)
    with closing(database), closing(sqlite3.connect(path)) as export:
        _, ids = database.run_prepared(partial(read_ids, wanted=everything))
        for first in range(0, len(ids), _AT_A_TIME):
            part = ids[first : first + _AT_A_TIME].tolist()
            _, movies = database.run_prepared(partial(read_movies, ids=part))
            _insert(export, [json.loads(movie) for movie in movies])
        export.commit()


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
