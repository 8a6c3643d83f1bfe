"""`open_api`, `ApiProcess`: start the process of the benchmark API, and control it over HTTP."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import requests

from benchmarks.api import Counts
from benchmarks.prepared_catalogue import Truth


class ApiProcess:
    """A running API with its controls."""

    def __init__(self, root: str, movies: int) -> None:
        """Take the first look: nothing is slow, nothing limited, everything shown."""
        self.url = f"{root}/api/v2"
        self._root = root
        self._session = requests.Session()
        self.movies = movies
        self.highest_id: int = self._ask("highest_id")
        self.untitled: list[int] = self._ask("untitled")

    def set(
        self, *, latency_seconds: float = 0.0, limit: int = 0, shown: int | None = None
    ) -> None:
        """Change how the API answers, and count from 0 again."""
        movies = self.movies if shown is None else shown
        self._ask("settings", latency=latency_seconds, limit=limit, shown=movies)

    def counts(self) -> Counts:
        """Count the requests since `set`."""
        return Counts(**self._ask("counts"))

    def truth(self, *, with_cast: bool) -> Truth:
        """Say what a mirror of all that is shown holds."""
        return Truth(**self._ask("truth", cast=int(with_cast)))

    def _ask(self, what: str, **query: Any) -> Any:
        response = self._session.get(f"{self._root}/control/{what}", params=query, timeout=300)
        response.raise_for_status()
        return response.json()


@contextmanager
def open_api(movies: int, *, with_details: bool) -> Iterator[ApiProcess]:
    """Serve *movies* movies until the block is left; preparing 20,000 takes some ten seconds."""
    command = [sys.executable, "-m", "benchmarks.api", "--movies", str(movies)]
    if with_details:
        command.append("--details")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None  # noqa: S101 -- for the types
            port = process.stdout.readline().strip()
            yield ApiProcess(f"http://127.0.0.1:{port}", movies)
        finally:
            process.terminate()
