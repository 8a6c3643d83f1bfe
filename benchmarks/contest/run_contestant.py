"""`run_contestant`: start and time one contestant, and compare its rows with the truth."""

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.api_process import ApiProcess
from benchmarks.databases import read_rows
from benchmarks.timed_command import time_command

#: The name of this project among the contestants.
OURS = "ours"
NAMES = (OURS, "naive", "dlt", "scrapy", "expert")
#: The schema of a contestant that does not use `public`.
_SCHEMAS = {"dlt": "mirror"}
#: Number of worker processes of this project; more processes than cores only wait for each other.
_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Run:
    """The result of one run."""

    #: From start to exit.
    seconds: float
    #: Of all its processes except PostgreSQL's.
    cpu_seconds: float
    #: Of its largest process.
    peak_mb: float
    exit_code: int
    requests: int
    throttled: int
    #: From the first request to the last.
    asking_seconds: float
    #: Number of movies that are missing in the tables.
    lost: int
    #: All rows are correct.
    is_right: bool


@dataclass(frozen=True, slots=True)
class Task:
    """The work that all contestants of a scenario do."""

    database_url: str
    connections: int
    #: Requests a second that the server admits, which contestants know; 0 means no limit.
    rate: int = 0


def command(name: str, task: Task, api: ApiProcess) -> list[str]:
    """Return the command line of a contestant."""
    shared = ["--api-url", api.url, "--database-url", task.database_url]
    shared += ["--ids", f"1-{api.highest_id}", "--rate", str(task.rate)]
    if name == OURS:
        threads = task.connections // _WORKERS
        size = ["--workers", str(_WORKERS), "--threads", str(threads)]
        return [sys.executable, "fetch_yts_data.py", *shared, *size, "--no-embed", "-q"]
    module = f"benchmarks.contestants.{name}"
    return [sys.executable, "-m", module, *shared, "--connections", str(task.connections)]


def run_contestant(name: str, task: Task, api: ApiProcess, folder: Path) -> Run:
    """Run the contestant *name*; *folder* is for its temporary files and its log."""
    outcome = time_command(command(name, task, api), folder / f"{name}.log", folder)
    counts = api.counts()
    truth = api.truth(with_cast=True)
    rows = read_rows(task.database_url, _SCHEMAS.get(name, "public"), api.untitled)
    return Run(
        *outcome,
        requests=counts.lists + counts.details,
        throttled=counts.throttled,
        asking_seconds=counts.last_at - counts.first_at,
        lost=truth.movies - (rows.movies if rows else 0),
        is_right=rows == truth,
    )
