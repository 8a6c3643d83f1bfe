"""`measure`: the time of `--help` of each command, and the heavy modules that it imports."""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.timed_command import REPO

COMMANDS = ("fetch_yts_data.py", "monitor_progress.py", "query_movies.py", "test_db_connection.py")
#: Libraries that are slow to import, and that `--help` does not need.
HEAVY = frozenset(
    {
        "aiohttp",
        "alembic",
        "dotenv",
        "jinja2",
        "numpy",
        "prometheus_client",
        "psycopg2",
        "pydantic",
        "requests",
        "rich",
        "sqlalchemy",
        "tqdm",
    }
)
_TIMES = 10


@dataclass(frozen=True, slots=True)
class Help:
    """`--help` of one command."""

    command: str
    #: The median, from start to exit.
    seconds: float
    heavy_imports: tuple[str, ...]


def measure() -> list[Help]:
    """Run `--help` of each command ten times."""
    return [
        Help(
            command,
            statistics.median(_time(command) for _ in range(_TIMES)),
            _heavy_imports(command),
        )
        for command in COMMANDS
    ]


def _time(command: str) -> float:
    started = time.perf_counter()
    _run(command)
    return time.perf_counter() - started


def _heavy_imports(command: str) -> tuple[str, ...]:
    lines = _run(command, "-X", "importtime").splitlines()
    return tuple(sorted(HEAVY & {line.rpartition("|")[2].strip() for line in lines}))


def _run(script: str, *options: str) -> str:
    command = [sys.executable, *options, script, "--help"]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stderr
