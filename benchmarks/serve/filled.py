"""`open_filled`: a PostgreSQL server with a database that is filled once; `fetch_practice`."""

import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from sqlalchemy import URL, make_url

from benchmarks.api_process import open_api
from benchmarks.databases import Databases
from benchmarks.timed_command import time_command
from database.db import get_db_manager
from database.embedded.server import open_embedded

Report = Callable[[str], None]
#: Fills the database of a URL with a number of movies.
Fill = Callable[[str, int, Report], None]


@contextmanager
def open_filled(
    home: Path, name: str, movies: int, fill: Fill, report: Report
) -> Iterator[tuple[Databases, URL]]:
    """Yield a server at *home* with a database of that many movies; one that is there is kept."""
    name = f"{name}_{movies}"
    ready = home.with_name(f"{home.name}.{name}")
    with open_embedded(home) as server:
        databases = Databases(server.url)
        url = server.url.set(database=name)
        is_filled = ready.exists()
        text = url.render_as_string(hide_password=False) if is_filled else databases.fresh(name)
        get_db_manager(database_url=text).close_all()  # It migrates the tables.
        if not is_filled:
            report(f"storing {movies:,} movies")
            fill(text, movies, report)
            ready.touch()
        yield databases, make_url(url)


def fetch_practice(url: str, movies: int, report: Report) -> None:
    """
    Fetch movies of the practice data with details, and make their vectors.

    The source is not marked as practice data: pages have posters and links, as of real movies.
    """
    with open_api(movies, with_details=True) as api, tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "fetch.log"
        command = [sys.executable, "fetch_yts_data.py", "-q", "--rate", "0", "--audit", "0"]
        command += ["--api-url", api.url, "--database-url", url]
        seconds, _, _, exit_code = time_command(command, log, Path(folder))
        if exit_code != 0:
            raise SystemExit(f"the fetch ended with {exit_code}:\n{log.read_text()}")
        report(f"  fetched in {seconds:.0f} s")
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute("VACUUM ANALYZE")


def read_postmaster(home: Path) -> int:
    """Return the process id of the server at *home*."""
    return int((home / "data" / "postmaster.pid").read_text().split()[0])
