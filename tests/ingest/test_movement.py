"""Movies that are added or removed while the list is read, or between two runs."""

from itertools import count, takewhile
from typing import Any

import pytest

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.data.movies import fetch_list_rows
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import FEW_MOVIES, fetch, read_sql, shrink_pages, tell

STORED = "SELECT external_id FROM movies ORDER BY 1"


@pytest.fixture(autouse=True)
def _short_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    shrink_pages(monkeypatch)


def read_present(sandbox: Sandbox) -> set[int]:
    """Return the ids of all movies of the list."""
    pages = takewhile(bool, (fetch_list_rows(sandbox, page) for page in count(1)))
    return {row["id"] for rows in pages for row in rows}


@pytest.mark.parametrize(
    ("is_first", "change"),
    [
        (True, "add?count=12"),
        (False, "remove?ids=1,2,3"),
        pytest.param(True, "remove?ids=1,2,3", marks=pytest.mark.long),
        pytest.param(False, "add?count=12", marks=pytest.mark.long),
    ],
)
def test_what_moves_while_a_sweep_reads_is_not_missed(
    db: DatabaseManager, change: str, is_first: bool
):
    """Removals shift unread movies to pages already read; the next run finds them nevertheless."""
    changes = [change]

    def interfere(row: dict[str, Any]) -> None:
        if row["pages_read"] >= 2 and changes:
            tell(sandbox, changes.pop())

    with open_sandbox(SandboxSettings(movies=50, latency_seconds=0.05)) as sandbox:
        if not is_first:
            fetch(db, sandbox.url, details=False)
            tell(sandbox, "add?count=40")
        fetch(db, sandbox.url, details=False, progress=interfere, threads=1)
        assert not changes, "nothing was changed"
        fetch(db, sandbox.url, details=False)

        assert read_present(sandbox) <= set(read_sql(db, STORED))


@pytest.mark.parametrize(
    ("is_first", "removed"),
    [
        (True, 3),
        (True, 34),
        (False, 34),
        pytest.param(False, 3, marks=pytest.mark.long),
        pytest.param(True, 16, marks=pytest.mark.long),
        pytest.param(False, 16, marks=pytest.mark.long),
    ],
)
def test_what_was_removed_between_two_runs_hides_nothing(
    db: DatabaseManager, removed: int, is_first: bool
):
    """A run that continues in the middle, or at the end, begins with a movie that is known."""
    with open_sandbox(SandboxSettings(movies=80)) as sandbox:
        fetch(db, sandbox.url, details=False, max_pages=4 if is_first else None)
        oldest = read_sql(db, STORED)[:removed]
        tell(sandbox, f"remove?ids={','.join(map(str, oldest))}")
        tell(sandbox, "add?count=24")

        report = fetch(db, sandbox.url, details=False)

        assert report.is_sweep_complete
        assert read_present(sandbox) <= set(read_sql(db, STORED))


def test_a_list_that_has_become_much_shorter_is_read_from_the_beginning(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """The page on which the sweep would continue does not exist any more."""
    fetch_first(db, short_sandbox, details=False)
    run_sql(db.url, "UPDATE sync_state SET next_page = 900, movie_count = 45000")

    assert fetch(db, short_sandbox.url, details=False).is_sweep_complete
    assert fetch(db, short_sandbox.url, details=False).requests == 3


def test_limited_runs_reach_what_is_new(db: DatabaseManager, short_sandbox: Sandbox):
    """A run with a limit of pages continues where the one before ended, also with new movies."""
    fetch_first(db, short_sandbox, details=False)
    tell(short_sandbox, "add?count=52")

    reports = [fetch(db, short_sandbox.url, details=False, max_pages=2) for _ in range(3)]

    assert [report.counts.saved for report in reports] == [20, 20, 12]
    assert reports[-1].is_sweep_complete


def test_practice_leaves_no_trace_in_the_real_list(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A run against YTS does not continue where a practice run ended."""
    fetch(db, short_sandbox.url, max_pages=4, details=False)
    monkeypatch.setattr("ingest.phases.open_source.SANDBOX_SERVER", "not this one")

    fetch(db, short_sandbox.url, details=False)

    assert db.get_stats()["total_movies"] == FEW_MOVIES
