"""`measure`: the number of requests that this program needs, counted by the server."""

import statistics
import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.api_process import ApiProcess, open_api
from benchmarks.contest.scenarios import Frugality
from benchmarks.databases import Databases, check_rows
from benchmarks.timed_command import time_command

_CONNECTIONS = 8


@dataclass(frozen=True, slots=True)
class Step:
    """One command, its time and its requests."""

    title: str
    seconds: float
    requests: int
    #: It ended with 0, and all rows are correct.
    is_right: bool


def measure(scenario: Frugality, databases: Databases, folder: Path, rounds: int) -> list[Step]:
    """Run all steps; the first one *rounds* times, because its seconds are reported."""
    with open_api(scenario.listed_movies, with_details=False) as api:
        steps = _measure_list(api, databases, folder, rounds)
    with open_api(scenario.detailed_movies, with_details=True) as api:
        return steps + _measure_news(api, databases, folder, scenario.new_movies)


def _measure_list(api: ApiProcess, databases: Databases, folder: Path, rounds: int) -> list[Step]:
    title = f"list of {api.movies:,} movies into an empty database, `--no-details`"
    seconds = []
    for _ in range(rounds):
        run = _Mirror(api, databases, folder, ["--no-details"])
        first = run.step(title)
        seconds.append(first.seconds)
    return [
        Step(title, statistics.median(seconds), first.requests, first.is_right),
        run.step("the same again with `--update`, nothing has changed", "--update"),
        run.step("the same again, nothing is new"),
    ]


def _measure_news(api: ApiProcess, databases: Databases, folder: Path, new: int) -> list[Step]:
    old = api.movies - new
    run = _Mirror(api, databases, folder, [], shown=old)
    steps = [
        run.step(f"{old:,} movies with details into an empty database"),
        run.step("the same again, as from cron, nothing is new"),
    ]
    run.shown = api.movies
    return [*steps, run.step(f"the same again, {new} movies are new")]


class _Mirror:
    """One database that this program fills from *api*, command by command."""

    def __init__(
        self,
        api: ApiProcess,
        databases: Databases,
        folder: Path,
        options: list[str],
        shown: int | None = None,
    ) -> None:
        self._api = api
        self._folder = folder
        self._options = options
        self._url = databases.fresh("frugality")
        self.shown = api.movies if shown is None else shown

    def step(self, title: str, *more: str) -> Step:
        self._api.set(shown=self.shown)
        command = [
            sys.executable,
            "fetch_yts_data.py",
            "-q",
            "--no-embed",
            "--rate",
            "0",
            *self._options,
            *more,
        ]
        command += ["--api-url", self._api.url, "--database-url", self._url]
        command += ["--workers", "2", "--threads", str(_CONNECTIONS // 2)]
        seconds, _, _, code = time_command(command, self._folder / "frugality.log", self._folder)
        counts = self._api.counts()
        with_cast = "--no-details" not in self._options
        is_right = code == 0 and check_rows(self._url, self._api, with_cast=with_cast)
        return Step(title, seconds, counts.lists + counts.details, is_right)
