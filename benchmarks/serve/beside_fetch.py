"""`measure_beside`: how much longer a fetch at full speed takes beside a server that is used."""

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import make_url

from benchmarks.api_process import ApiProcess, open_api
from benchmarks.databases import Databases
from benchmarks.serve.load import Load
from benchmarks.serve.measures import run
from benchmarks.serve.servers import open_ours
from benchmarks.timed_command import time_command
from database.db import get_db_manager

_MOVIES = 12_000
_RATE = 50.0
_WORKERS, _THREADS = 2, 4


@dataclass(frozen=True, slots=True)
class Beside:
    """Seconds of fetches of the same movies, alone and beside requests."""

    alone: list[float]
    beside: list[float]

    @property
    def loss(self) -> float:
        """Return the part by which the best fetch beside requests takes longer."""
        return min(self.beside) / min(self.alone) - 1


def measure_beside(
    databases: Databases, folder: Path, rounds: int, report: Callable[[str], None]
) -> Beside:
    """Fetch list and details into fresh databases, in turn with and without requests to them."""
    figures = Beside([], [])
    with open_api(_MOVIES, with_details=True) as api:
        for number in range(rounds):
            for is_beside in (bool(number % 2), not number % 2):
                url = databases.fresh("beside")
                get_db_manager(database_url=url).close_all()
                if is_beside:
                    with _requests(url):
                        seconds = _fetch(api, url, folder)
                else:
                    seconds = _fetch(api, url, folder)
                (figures.beside if is_beside else figures.alone).append(seconds)
                report(f"  fetch {'beside requests' if is_beside else 'alone'}: {seconds:.1f} s")
    return figures


@contextmanager
def _requests(url: str) -> Iterator[None]:
    """Request pages and movies of the database that is being filled, until the block ends."""
    with open_ours(make_url(url), pages=20) as server:
        movies = [server.details.format(movie_id) for movie_id in range(1, 200)]
        targets = [path for pair in zip(server.pages * 10, movies, strict=False) for path in pair]
        load = Load(server.port, targets, connections=8, seconds=3600, rate=_RATE)
        thread = threading.Thread(target=_send_until_closed, args=(load,), daemon=True)
        thread.start()
        yield
    thread.join()


def _send_until_closed(load: Load) -> None:
    run(load, {})


def _fetch(api: ApiProcess, url: str, folder: Path) -> float:
    command = [sys.executable, "fetch_yts_data.py", "-q", "--no-embed", "--rate", "0"]
    command += ["--api-url", api.url, "--database-url", url]
    command += ["--workers", str(_WORKERS), "--threads", str(_THREADS)]
    seconds, _, _, exit_code = time_command(command, folder / "fetch.log", folder)
    if exit_code != 0:
        raise SystemExit(f"the fetch ended with {exit_code}: see {folder / 'fetch.log'}")
    return seconds
