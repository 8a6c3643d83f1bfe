"""
A fetch in which one process kills itself at a chosen point, once; run by `test_kill_points.py`.

The product has no code for this: functions are replaced, here and in worker processes.
"""

import functools
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

import database.step
import ingest.fetch
import ingest.phases.read_details
import ingest.phases.read_list
import ingest.phases.reading
import ingest.worker.worker
from database.db import DatabaseManager
from ingest.backends.processes import warm_up
from ingest.plan import MovieBatch
from ingest.run import Run
from ingest.worker.worker import Worker
from tests.support.runs import fetch, shrink_pages
from yts.client import YtsClient

#: An id that kills every worker at the point "poison".
POISON = 16

_start_worker = ingest.worker.worker.start_worker


def die_once() -> None:
    """Kill this process, unless a process has died by this function before."""
    try:
        os.close(os.open(os.environ["KILL_MARK"], os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return
    die()


def die() -> None:
    """Kill this process with SIGKILL."""
    os.kill(os.getpid(), signal.SIGKILL)
    threading.Event().wait()  # The signal may take a moment.


def wrap(owner: Any, name: str, *, before: Any = None, after: Any = None) -> None:
    """Replace function *name* of *owner*: *before* and *after* are called around it."""
    original = getattr(owner, name)

    @functools.wraps(original)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        if before:
            before(*args, **kwargs)
        result = original(*args, **kwargs)
        if after:
            after(*args, **kwargs)
        return result

    setattr(owner, name, wrapped)


def on_call(number: int) -> Callable[..., None]:
    """Return a function whose *number*th call in a process kills it."""
    calls = iter(range(1, 1_000_000))
    return lambda *_args, **_kwargs: die_once() if next(calls) == number else None


def if_details(has_details: bool) -> Callable[..., None]:
    """Return a function that kills the process when a step with details, or a page, is saved."""

    def check(*args: Any, **kwargs: Any) -> None:
        step = args[2] if len(args) > 2 else None
        if bool(kwargs.get("detailed", getattr(step, "detailed", ()))) == has_details:
            die_once()

    return check


def poison(_client: YtsClient, movie_id: int, **_named: Any) -> None:
    """Kill the process if the movie is `POISON`."""
    if movie_id == POISON:
        die()


def second_batch_of_movies() -> Callable[..., None]:
    """Return a function that kills a worker when it begins its second batch of movies."""
    again = on_call(2)
    return lambda _worker, batch: again() if isinstance(batch, MovieBatch) else None


def mid_plan() -> None:
    """Kill the process while it plans details and batches are in flight."""
    original = ingest.phases.read_details.plan_movie_batches

    def plan(*args: Any) -> Iterator[MovieBatch]:
        for number, batch in enumerate(original(*args)):
            if number == 4:
                die_once()
            yield batch

    ingest.phases.read_details.plan_movie_batches = plan


#: Points in a worker, which is in the main process if there is only one.
WORKER_POINTS: dict[str, Callable[[], None]] = {
    "before-fetch": lambda: wrap(YtsClient, "fetch_details", before=on_call(5)),
    "after-fetch": lambda: wrap(YtsClient, "fetch_details", after=on_call(5)),
    "inside-transaction": lambda: wrap(database.step, "save_movies", after=if_details(True)),
    "after-commit": lambda: wrap(ingest.worker.worker, "save_step", after=if_details(True)),
    "inside-transaction-of-a-page": lambda: wrap(
        database.step, "save_movies", after=if_details(False)
    ),
    "after-commit-of-a-page": lambda: wrap(
        ingest.worker.worker, "save_step", after=if_details(False)
    ),
    "between-batches": lambda: wrap(Worker, "run_batch", before=second_batch_of_movies()),
    "poison": lambda: wrap(YtsClient, "fetch_details", before=poison),
}
#: Points that only a run reaches that reads the whole list before any details.
LIST_FIRST = {"inside-transaction-of-a-page", "after-commit-of-a-page", "between-batches"}
#: A limit that no run of this length meets.
FAST = 100_000.0
#: Points in the main process.
MAIN_POINTS: dict[str, Callable[[], None]] = {
    "after-start-run": lambda: wrap(Run, "__init__", before=on_call(1)),
    "after-first-page": lambda: wrap(Worker, "save_pages", after=on_call(1)),
    "inside-progress": lambda: wrap(ingest.phases.reading, "remember_progress", after=on_call(1)),
    "before-complete-sweep": lambda: wrap(
        ingest.phases.read_list, "complete_sweep", before=on_call(1)
    ),
    "before-audit": lambda: wrap(ingest.fetch, "audit", before=on_call(1)),
    "middle-of-details": mid_plan,
    "before-the-end": lambda: wrap(Run, "finish", before=on_call(1)),
}


def start_worker(*args: Any) -> None:
    """Start a worker that dies at the point."""
    shrink_pages(pytest.MonkeyPatch())
    WORKER_POINTS[os.environ["KILL_POINT"]]()
    _start_worker(*args)


def main(url: str, api_url: str, workers: int, point: str, mark: Path) -> int:
    """Run a fetch that dies at *point*, unless the file *mark* exists."""
    os.environ["KILL_POINT"], os.environ["KILL_MARK"] = point, str(mark)
    if workers > 1:
        warm_up()  # As the command does; before anything is replaced here.
    if point in MAIN_POINTS:
        MAIN_POINTS[point]()
    elif workers == 1:
        WORKER_POINTS[point]()
    else:
        ingest.fetch.start_worker = start_worker
        ingest.phases.reading.FEW_PAGES = 0  # Otherwise no page is left for the workers.
    shrink_pages(pytest.MonkeyPatch())
    with DatabaseManager(make_url(url)) as db:
        rate = FAST if point in LIST_FIRST else 0.0
        options = {"workers": workers, "threads": 2, "batch_size": 4, "rate": rate}
        return fetch(db, api_url, **options).exit_code


if __name__ == "__main__":
    _, url, api_url, workers, point, mark = sys.argv
    sys.exit(main(url, api_url, int(workers), point, Path(mark)))
