"""How long `--help` takes, and what it imports that it does not need."""

import statistics
import subprocess
import sys
import time
from dataclasses import dataclass

from benchmarks.contest import REPO

DOORS = ("fetch_yts_data.py", "monitor_progress.py", "query_movies.py", "test_db_connection.py")
#: What takes long to import, and is for work only.
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

    door: str
    #: The median, from start to exit.
    seconds: float
    heavy_imports: tuple[str, ...]


def measure() -> list[Help]:
    """Ask every command for its help, ten times."""
    return [
        Help(door, statistics.median(_time(door) for _ in range(_TIMES)), _heavy_imports(door))
        for door in DOORS
    ]


def _time(door: str) -> float:
    started = time.perf_counter()
    _run(door)
    return time.perf_counter() - started


def _heavy_imports(door: str) -> tuple[str, ...]:
    lines = _run(door, "-X", "importtime").splitlines()
    return tuple(sorted(HEAVY & {line.rpartition("|")[2].strip() for line in lines}))


def _run(door: str, *options: str) -> str:
    command = [sys.executable, *options, door, "--help"]
    return subprocess.run(command, cwd=REPO, capture_output=True, text=True, check=True).stderr
