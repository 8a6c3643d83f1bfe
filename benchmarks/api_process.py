"""`open_api`, `ApiProcess`: start the process of the benchmark API, and control it over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from benchmarks.prepared_api import Counts
from benchmarks.prepared_catalogue import Truth


class ApiProcess:
    """A running API with its controls."""

    def __init__(self, root: str, movies: int) -> None:
        """Connect to the API below *root*; it has no latency and no limit, and lists all movies."""
        self.url = f"{root}/api/v2"
        self._root = root
        self._session = requests.Session()
        self.movies = movies
        self.highest_id: int = self._get("highest_id")
        self.untitled: list[int] = self._get("untitled")

    def set(
        self, *, latency_seconds: float = 0.0, limit: int = 0, shown: int | None = None
    ) -> None:
        """Change latency, limit and listed movies, and set all counts to 0."""
        movies = self.movies if shown is None else shown
        self._get("settings", latency=latency_seconds, limit=limit, shown=movies)

    def counts(self) -> Counts:
        """Return the counts of requests since `set`."""
        return Counts(**self._get("counts"))

    def truth(self, *, with_cast: bool) -> Truth:
        """Return the totals of a complete mirror of all listed movies."""
        return Truth(**self._get("truth", cast=int(with_cast)))

    def _get(self, name: str, **query: Any) -> Any:
        response = self._session.get(f"{self._root}/control/{name}", params=query, timeout=300)
        response.raise_for_status()
        return response.json()


@contextmanager
def open_api(movies: int, *, with_details: bool) -> Iterator[ApiProcess]:
    """Serve *movies* movies until the block is left; preparing 20,000 takes about ten seconds."""
    command = [sys.executable, "-m", "benchmarks.prepared_api", "--movies", str(movies)]
    if with_details:
        command.append("--details")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 -- for the types
            port = process.stdout.readline().strip()
            yield ApiProcess(f"http://127.0.0.1:{port}", movies)
        finally:
            process.terminate()
