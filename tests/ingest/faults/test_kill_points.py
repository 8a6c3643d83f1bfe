"""A process is killed at a labelled point: the same command, run again, gives equal tables."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import table_contents
from tests.support.processes.killed_fetch import MAIN_POINTS, POISON, WORKER_POINTS
from tests.support.processes.programs import run_python
from tests.support.runs import fetch, read_sql, shrink_pages

#: Three list pages.
MOVIES = 24
UNBALANCED = (
    "SELECT id FROM fetch_runs WHERE finished_at IS NULL "
    "OR planned <> saved + updated + unchanged + skipped + missing + failed"
)


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_pages(monkeypatch)


@pytest.fixture(scope="module")
def served() -> Iterator[Sandbox]:
    """Serve one catalogue to all tests."""
    with open_sandbox(SandboxSettings(movies=MOVIES)) as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def calm(new_database: Callable[..., URL], served: Sandbox) -> dict[str, list[tuple[object, ...]]]:
    """Return the tables of a run that was never disturbed."""
    with DatabaseManager(new_database()) as db:
        fetch(db, served.url)
        return table_contents(db)


def run_killed(url: URL, sandbox: Sandbox, workers: int, point: str, mark: Path) -> int:
    """Run a fetch that kills a process at *point*, and return its exit code."""
    address = url.render_as_string(hide_password=False)
    arguments = [address, sandbox.url, str(workers), point, str(mark)]
    return run_python(
        "-m", "tests.support.processes.killed_fetch", *arguments,
        environment={}, imports=("tests.support.runs",),
    ).returncode  # fmt: skip


#: Kill points of a worker, both in a process of its own and in the main process; kill points of the
#: main process, with running workers where that matters.
POINTS = [(point, workers) for point in WORKER_POINTS if point != "poison" for workers in (1, 2)]
POINTS += [(point, 2 if point in {"inside-progress", "middle-of-details"} else 1)
           for point in MAIN_POINTS]  # fmt: skip


#: Points after which the tables are as after another point, which stays in the suite.
ALIKE = {"after-fetch", "between-batches", "before-audit"}


def deaths() -> Iterator[Any]:
    """
    Yield all points; most of those of a worker in the main process are for `-m long`.
    """
    for point, workers in POINTS:
        is_alone = point in WORKER_POINTS and workers == 1
        is_long = (is_alone and point != "inside-transaction") or point in ALIKE
        marks = [pytest.mark.long] if is_long else []
        yield pytest.param((point, workers), marks=marks, id=f"{point}-{workers}")


@pytest.mark.parametrize("death", list(deaths()))
def test_a_kill_at_any_point_loses_and_duplicates_nothing(
    death: tuple[str, int], db: DatabaseManager, served: Sandbox, calm, tmp_path: Path
):
    """
    The run itself repairs the death of a worker, the next run that of the main process.
    """
    mark, (point, workers) = tmp_path / "died", death

    exit_code = run_killed(db.url, served, workers, point, mark)
    died_alone = table_contents(db)
    again = fetch(db, served.url)

    assert mark.exists(), "no process died"
    is_main = point in MAIN_POINTS or workers == 1
    assert exit_code == (-9 if is_main else 0)
    assert is_main or died_alone == calm
    assert again.exit_code == 0
    assert table_contents(db) == calm
    assert read_sql(db, UNBALANCED) == []
    phases = read_sql(db, "SELECT phase FROM fetch_runs ORDER BY id")
    assert phases == ["killed" if is_main else "ended", "ended"]


def test_a_movie_that_kills_every_worker_costs_only_itself(
    db: DatabaseManager, served: Sandbox, calm, tmp_path: Path
):
    """
    Its batch is split: the other movies are fetched, and only that one is recorded as failed.
    """
    exit_code = run_killed(db.url, served, 2, "poison", tmp_path / "died")

    stats = db.get_stats()
    failures = "SELECT kind, key, error_class FROM fetch_failures"
    assert exit_code == 3
    assert (stats["total_movies"], stats["movies_with_details"]) == (MOVIES, MOVIES - 1)
    assert read_sql(db, failures) == [("movie", str(POISON), "WorkerDied")]
    assert read_sql(db, UNBALANCED) == []
    assert fetch(db, served.url, retry_failed=True).exit_code == 0
    assert db.get_stats()["movies_with_details"] == MOVIES - 1, "its time has not come"
