"""`Mirror`: time a first fetch of a catalogue, and fetches again over the stored movies."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.api_process import ApiProcess
from benchmarks.databases import Databases, check_rows, read_seconds_of_last_run
from benchmarks.growth.memory import MemoryWatch, Peaks
from benchmarks.timed_command import time_command

_WORKERS, _THREADS = 2, 4
#: Names of the commands over stored movies.
AS_FROM_CRON = "as from cron"
BY_IDS = "with `--ids`"


@dataclass(frozen=True, slots=True)
class First:
    """The whole job: list and details into an empty database."""

    movies: int
    #: From start to exit.
    seconds: float
    #: Of all its processes except PostgreSQL's.
    cpu_seconds: float
    peaks: Peaks
    is_right: bool


@dataclass(frozen=True, slots=True)
class Again:
    """A command over movies that are stored."""

    movies: int
    #: `AS_FROM_CRON` or `BY_IDS`.
    how: str
    #: From start to exit.
    seconds: float
    #: While the row of its run was open: without imports, connecting and leaving.
    own_seconds: float
    is_right: bool


class Mirror:
    """One empty database, and the command that fills it from the oldest movies of *api*."""

    def __init__(self, api: ApiProcess, databases: Databases, folder: Path, movies: int) -> None:
        """Let the API list only *movies* movies."""
        self._api = api
        self._folder = folder
        self._movies = movies
        self._url = databases.fresh("growth")
        api.set(shown=movies)

    def fill(self) -> First:
        """Run the whole job."""
        watch = MemoryWatch()
        seconds, cpu_seconds, _, exit_code = time_command(
            self._command(), self._log, self._folder, watch.follow
        )
        return First(self._movies, seconds, cpu_seconds, watch.end(), self._is_right(exit_code))

    def run_again(self) -> Iterator[Again]:
        """Run the same command once more, then, if all movies are shown, one that names all ids."""
        yield self._run_again(AS_FROM_CRON)
        if self._movies == self._api.movies:
            every_id = ("--ids", f"1-{self._api.highest_id}")
            # The list does not tell which ids are missing; from the second time on that is known.
            self._run_again(BY_IDS, *every_id)
            yield self._run_again(BY_IDS, *every_id)

    def _run_again(self, how: str, *options: str) -> Again:
        seconds, _, _, exit_code = time_command(self._command(*options), self._log, self._folder)
        own_seconds = read_seconds_of_last_run(self._url)
        return Again(self._movies, how, seconds, own_seconds, self._is_right(exit_code))

    @property
    def _log(self) -> Path:
        return self._folder / "growth.log"

    def _command(self, *options: str) -> Sequence[str]:
        # The audit finds movies that the list does not name, which are not in the totals.
        quick = ["-q", "--no-embed", "--rate", "0", "--audit", "0"]
        command = [sys.executable, "fetch_yts_data.py", *quick, *options]
        command += ["--api-url", self._api.url, "--database-url", self._url]
        return [*command, "--workers", str(_WORKERS), "--threads", str(_THREADS)]

    def _is_right(self, exit_code: int) -> bool:
        return exit_code == 0 and check_rows(self._url, self._api, with_cast=True)
