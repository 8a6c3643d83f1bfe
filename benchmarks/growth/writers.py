"""
`measure`: save prepared movies with several processes at once, without HTTP.

All movies have the same few people, so that writers update the same rows.
`python -m benchmarks.growth.writers` is one of these processes.
"""

import argparse
import random
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import islice

from benchmarks.databases import Databases, read_written
from database.bookkeeping.runs import start_run
from database.db import DatabaseManager, get_db_manager
from database.step import Step, save_step
from ingest.worker.work_queue import MOVIES_PER_CHUNK
from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.film_cast import CastMember
from sandbox.catalogue.films import read_films
from sandbox.catalogue.movie_json import detailed_movie
from yts.payload import MoviePayload, parse_movie

MOVIES = 8000
WRITERS = (1, 2, 4, 8)
_PEOPLE = 40
_CAST_SIZE = 4
_SEED = 1


@dataclass(frozen=True, slots=True)
class Writing:
    """The result of some writers."""

    writers: int
    movies: int
    #: From the moment all are ready until the last has saved its last movie.
    seconds: float
    #: As PostgreSQL counts them; the step is repeated then.
    deadlocks: int
    is_right: bool


def measure(databases: Databases, movies: int) -> Iterator[Writing]:
    """Let 1, 2, 4 and 8 writers save *movies* movies, divided among them."""
    for writers in WRITERS:
        url = databases.fresh("writers")
        with get_db_manager(database_url=url) as db:
            run_id = db.run_transaction(
                lambda session: start_run(session, "benchmarks.growth.writers")
            )
        seconds = _time_writers(url, run_id, writers, movies)
        written = read_written(url)
        is_right = (written.movies, written.people) == (movies, _PEOPLE)
        yield Writing(writers, movies, seconds, written.deadlocks, is_right)
        databases.drop("writers")


def _time_writers(url: str, run_id: int, writers: int, movies: int) -> float:
    command = [sys.executable, "-m", "benchmarks.growth.writers", "--database-url", url]
    command += ["--run-id", str(run_id), "--writers", str(writers), "--movies", str(movies)]
    with ExitStack() as stack:
        processes = [
            stack.enter_context(
                subprocess.Popen(
                    [*command, "--number", str(number)],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for number in range(writers)
        ]
        _await_lines(processes)
        started = time.perf_counter()
        for process in processes:
            assert process.stdin is not None  # noqa: S101 -- for the types
            process.stdin.write("go\n")
            process.stdin.flush()
        _await_lines(processes)
        return time.perf_counter() - started


def _await_lines(processes: Sequence[subprocess.Popen[str]]) -> None:
    for process in processes:
        assert process.stdout is not None  # noqa: S101 -- for the types
        if not process.stdout.readline():
            raise RuntimeError("a writer has died; its traceback is above")


def _movies(number: int, writers: int, count: int) -> list[MoviePayload]:
    """Return the share of writer *number*: every N-th of *count* movies, for N writers."""
    catalogue = Catalogue(read_films(), count, _SEED)
    rng = random.Random(number)  # noqa: S311 -- the same values each time
    return [
        parse_movie(detailed_movie(catalogue, movie_id, _draw_cast(rng), has_screenshots=False))
        for movie_id in catalogue.ids[number::writers]
    ]


def _draw_cast(rng: random.Random) -> tuple[CastMember, ...]:
    # A later picture changes the row of a person that all movies share.
    return tuple(
        CastMember(f"Actor {person}", "Role", f"{person:07d}", has_picture=rng.random() < 0.5)
        for person in rng.sample(range(_PEOPLE), _CAST_SIZE)
    )


def main() -> None:
    """Prepare a share of the movies, print a line, wait for one, save them, print a line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--database-url", required=True)
    for name in ("--run-id", "--number", "--writers", "--movies"):
        parser.add_argument(name, type=int, required=True)
    options = parser.parse_args()
    movies = iter(_movies(options.number, options.writers, options.movies))
    # As a worker opens it.
    with DatabaseManager(options.database_url, pool_size=2, max_overflow=5, is_keyed=True) as db:
        print("ready", flush=True)  # noqa: T201 -- to the process that waits for it
        sys.stdin.readline()
        while portion := tuple(islice(movies, MOVIES_PER_CHUNK)):
            detailed = frozenset(movie.id for movie in portion)
            save_step(db, options.run_id, Step(portion, detailed=detailed))
        print("done", flush=True)  # noqa: T201


if __name__ == "__main__":
    main()
