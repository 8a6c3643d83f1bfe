"""Each fault and corruption of the sandbox: the tables equal those of a run without faults."""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from ingest.report import RunReport
from sandbox.api.faults import FAULTS
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql, table_contents
from tests.support.runs import (
    FEW_MOVIES,
    ImpatientSettings,
    counted,
    fetch,
    impatient_client,
    set_faults,
    shrink_pages,
)
from yts.errors import YtsUnavailable

SHARE = 0.15
#: Four short list pages.
CATALOGUE = SandboxSettings(movies=FEW_MOVIES, seed=4)
#: Runs with --retry-failed, each with the same share of faults as the run before.
ROUNDS = 10

#: Faults that the product handles like another fault, which stays in the suite.
ALIKE = {
    "503", "cloudflare-403", "cloudflare-200", "truncated", "slow-head", "noise", "wrong-shape",
    "status-error",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_pages(monkeypatch)


def finish(db: DatabaseManager, sandbox: Sandbox, **options: Any) -> int:
    """Retry failures, made due, until none is left; return the number of rounds."""
    for number in range(ROUNDS):
        with suppress(YtsUnavailable):  # Both attempts of a run's first request may fail.
            is_empty = db.get_stats()["total_failures"] == 0
            if is_empty and fetch(db, sandbox.url, **options).exit_code == 0:
                return number
            run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")
            fetch(db, sandbox.url, retry_failed=True, **options)
    raise AssertionError("the ledger never becomes empty")


@pytest.fixture(scope="module")
def clean_tables(new_database: Callable[..., URL]) -> dict[str, list[tuple[object, ...]]]:
    """Return the tables of a run without faults."""
    with open_sandbox(CATALOGUE) as sandbox, DatabaseManager(new_database()) as db:
        assert fetch(db, sandbox.url).exit_code == 0
        return table_contents(db)


def check_report(report: RunReport, failures: int) -> None:
    """Check that a run ended by itself, with exit code 0, or with 3 and failures in the ledger."""
    assert report.ended_early is None
    assert report.exit_code == (3 if failures else 0)
    assert report.counts.failed >= failures


@pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=[pytest.mark.long] if name in ALIKE else []) for name in FAULTS],
)
def test_no_fault_changes_the_final_tables(
    fault: str,
    db: DatabaseManager,
    clean_tables: object,
    monkeypatch: pytest.MonkeyPatch,
):
    """
    With one fault the run ends by itself, retries finish the rest, and the tables are equal.
    """
    # Two attempts a movie, so that some fail.
    impatient_client(monkeypatch, attempts=2, backoff_seconds=0.001, read_seconds=0.2)
    # Among only a few pages, a fault of pages must still occur.
    share = 0.5 if FAULTS[fault].endpoint == "list_movies.json" else SHARE
    settings = replace(CATALOGUE, stall_seconds=0.5)
    with open_sandbox(settings) as sandbox:
        set_faults(sandbox, **{f"_{fault}": share})
        report = fetch(db, sandbox.url, threads=16)
        check_report(report, db.get_stats()["total_failures"])
        finish(db, sandbox, threads=16)
        assert counted(sandbox)["faults"][fault] > 0

        assert table_contents(db) == clean_tables


def test_all_faults_at_once_cost_nothing_in_the_end(db: DatabaseManager, clean_tables: object):
    """
    The same law holds for all faults together, with real processes.
    """
    settings = replace(CATALOGUE, faults={"all": 2 * SHARE}, stall_seconds=1.0)
    with open_sandbox(settings) as sandbox:
        options = {"workers": 2, "threads": 16, "timeout_seconds": 0.5, "kind": ImpatientSettings}
        report = fetch(db, sandbox.url, **options)
        check_report(report, db.get_stats()["total_failures"])
        finish(db, sandbox, **options)
        assert len(counted(sandbox)["faults"]) > len(FAULTS) / 2

        assert table_contents(db) == clean_tables
