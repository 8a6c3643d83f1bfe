"""
A tuned dlt pipeline: requests in threads, flat tables, COPY from CSV files, parallel loads.

dlt first extracts everything to files, then normalizes and loads them: nothing is stored before
that.
"""

import os
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import psycopg2

from benchmarks.contestants import movie_rows
from benchmarks.contestants.work import Work, read_work

_IDS_A_THREAD = 25
#: The schema that dlt creates for its tables.
DATASET = "mirror"

Row = dict[str, Any]


def tune(connections: int) -> None:
    """Set the environment variables that dlt reads when it is imported."""
    os.environ |= {
        "EXTRACT__WORKERS": str(connections),
        "EXTRACT__MAX_PARALLEL_ITEMS": str(2 * connections),
        "NORMALIZE__WORKERS": str(os.cpu_count() or 1),
        "LOAD__WORKERS": "8",
        "DATA_WRITER__BUFFER_MAX_ITEMS": "20000",
        "DATA_WRITER__FILE_MAX_ITEMS": "20000",
        "RUNTIME__DLTHUB_TELEMETRY": "false",
        "RUNTIME__LOG_LEVEL": "ERROR",
    }


def unknown_ids(work: Work) -> list[int]:
    """Return the ids that no earlier run has stored."""
    with psycopg2.connect(work.database_url) as connection, connection.cursor() as cursor:
        try:
            cursor.execute("SELECT external_id FROM mirror.movies")
            known = {row[0] for row in cursor}
        except psycopg2.errors.UndefinedTable:
            known = set()
    return [movie_id for movie_id in work.ids if movie_id not in known]


def fetch_batch(work: Work, batch: Iterable[int]) -> Iterator[movie_rows.Rows]:
    """Fetch some movies, on a thread of dlt's; its client asks again after a 429."""
    from dlt.sources.helpers import requests  # slow to import

    rows = movie_rows.Rows()
    for movie_id in batch:
        query: dict[str, int | str] = {"movie_id": movie_id, "with_cast": "true"}
        movie = requests.get(work.details_url, params=query).json()["data"]["movie"]
        if movie["id"] == movie_id:
            rows.add(movie)
    yield rows


class Tables:
    """The rows of some movies by table; a person or genre only once."""

    def __init__(self) -> None:
        """Begin without people and genres."""
        self._people: set[str] = set()
        self._genres: set[str] = set()

    def movies(self, rows: movie_rows.Rows) -> list[Row]:
        """Return the movies."""
        return _named(movie_rows.MOVIE_COLUMNS, rows.movies.values())

    def torrents(self, rows: movie_rows.Rows) -> list[Row]:
        """Return the torrents."""
        return _named(movie_rows.TORRENT_COLUMNS, rows.torrents.values())

    def casts(self, rows: movie_rows.Rows) -> list[Row]:
        """Return the people not returned before."""
        new = [row for code, row in rows.people.items() if code not in self._people]
        self._people.update(rows.people)
        return _named(movie_rows.PERSON_COLUMNS, new)

    def movie_casts(self, rows: movie_rows.Rows) -> list[Row]:
        """Return the links between movies and people."""
        return _named(movie_rows.ROLE_COLUMNS, rows.roles.values())

    def genres(self, rows: movie_rows.Rows) -> list[Row]:
        """Return the genres not returned before."""
        new = {genre for _, genre in rows.genres} - self._genres
        self._genres |= new
        return [{"name": name} for name in new]

    def movie_genres(self, rows: movie_rows.Rows) -> list[Row]:
        """Return the genres of movies."""
        return _named(("movie_id", "genre"), rows.genres)


def _named(columns: Sequence[str], rows: Iterable[movie_rows.Row]) -> list[Row]:
    return [dict(zip(columns, row, strict=True)) for row in rows]


def _with_host(url: str) -> str:
    # dlt insists on host and password; the socket in the query wins over both.
    return url.replace("postgres@/", "postgres:none@localhost/")


KEYS = {
    "movies": ["external_id"],
    "torrents": ["movie_id", "hash"],
    "casts": ["imdb_code"],
    "movie_casts": ["movie_id", "imdb_code"],
    "genres": ["name"],
    "movie_genres": ["movie_id", "genre"],
}


def main() -> None:
    """Mirror the movies."""
    work = read_work()
    tune(work.connections)
    import dlt  # it reads the environment

    ids = unknown_ids(work)
    batches = [ids[start : start + _IDS_A_THREAD] for start in range(0, len(ids), _IDS_A_THREAD)]
    # dlt would treat a yielded list as many items.
    plan = dlt.resource(([batch] for batch in batches), name="plan", selected=False)

    def fetch(batch: list[list[int]]) -> Iterator[movie_rows.Rows]:
        yield from fetch_batch(work, batch[0])

    fetched = dlt.transformer(
        fetch, data_from=plan, name="fetched", selected=False, parallelized=True
    )

    def table(name: str, take: Callable[[movie_rows.Rows], list[Row]]) -> Any:
        return dlt.transformer(  # type: ignore[call-overload]  # its types know no such disposition
            lambda rows: take(rows),  # noqa: PLW0108 -- dlt cannot put its mark on a method
            data_from=fetched,
            name=name,
            primary_key=KEYS[name],
            write_disposition={"disposition": "merge", "strategy": "upsert"},
        )

    tables = Tables()
    source = [table(name, getattr(tables, name)) for name in KEYS]
    pipeline = dlt.pipeline(
        "movies",
        pipelines_dir=tempfile.gettempdir(),
        destination=dlt.destinations.postgres(_with_host(work.database_url)),
        dataset_name=DATASET,
    )
    pipeline.run(source, loader_file_format="csv").raise_on_failed_jobs()


if __name__ == "__main__":
    main()
