"""`Breaker`: many broken movies in a row do not end a run; a source that is down does."""

from collections.abc import Callable

import pytest

from database.db import DatabaseManager
from ingest.ids import parse_ids
from ingest.plan import ListPage, PageBatch
from ingest.stop import StopRequest
from ingest.worker.breaker import FAILURES_UNTIL_PROBE
from ingest.worker.worker import Worker
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import (
    FEW_MOVIES,
    ROWS,
    ImpatientSettings,
    fetch,
    impatient_client,
    read_sql,
    refuse,
)
from yts.thread_session import Query

NEWEST = "SELECT external_id FROM movies ORDER BY external_id DESC LIMIT {}"
DUE_NOW = "UPDATE fetch_failures SET next_attempt_at = now() - interval '1 s'"
FAILED = "SELECT count(*) FROM fetch_failures WHERE kind = 'movie'"


def is_any(ids: set[int]) -> Callable[[Query], bool]:
    """Return the condition that a request is for the details of any of *ids*."""
    return lambda query: query.get("movie_id") in ids


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    impatient_client(monkeypatch, attempts=2, backoff_seconds=0.01)


@pytest.mark.parametrize(
    ("broken", "status"),
    [
        (FAILURES_UNTIL_PROBE, 500),
        (30, 404),
        pytest.param(FAILURES_UNTIL_PROBE, 404, marks=pytest.mark.long),
        pytest.param(30, 500, marks=pytest.mark.long),
    ],
)
def test_broken_movies_in_a_row_cost_only_themselves(
    db: DatabaseManager,
    short_sandbox: Sandbox,
    monkeypatch: pytest.MonkeyPatch,
    broken: int,
    status: int,
):
    """The newest movies come first, and no details are stored yet; all others get their details."""
    fetch_first(db, short_sandbox, details=False)
    ids = set(read_sql(db, NEWEST.format(broken)))
    refused = refuse(monkeypatch, status, is_any(ids))

    report = fetch(db, short_sandbox.url)

    assert (report.exit_code, report.counts.failed) == (3, broken)
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES - broken
    assert len(refused) < 2 * broken + 20


def test_lasting_failures_do_not_keep_a_retry_from_the_others(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """Recorded failures that still fail come first; all other movies are fetched."""
    fetch_first(db, short_sandbox, details=False)
    ids = set(read_sql(db, NEWEST.format(FEW_MOVIES - 10)))
    with monkeypatch.context() as patch:
        refuse(patch, 500, is_any(ids))
        fetch(db, short_sandbox.url)
    run_sql(db.url, DUE_NOW)
    lasting = set(sorted(ids)[10:])
    refuse(monkeypatch, 500, is_any(lasting))

    report = fetch(db, short_sandbox.url, retry_failed=True)

    assert report.exit_code == 3
    assert db.get_stats()["movies_with_details"] == 10 + 10
    assert read_sql(db, FAILED) == [len(lasting)]


def test_broken_movies_cost_only_themselves_in_an_empty_database(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    Ids are requested, and no movie is stored that could be tried instead.
    """
    refuse(monkeypatch, 500, is_any(set(range(21, 41))))

    report = fetch(db, short_sandbox.url, ids=parse_ids("21-60"), batch_size=100, threads=1)

    assert report.exit_code == 3
    assert report.counts.failed == 20
    assert report.counts.saved + report.counts.missing == 20


def test_broken_pages_cost_only_themselves(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A list page that was read before, or the first one, shows that the list works."""
    broken = set(range(2, 9))
    refuse(monkeypatch, 500, lambda query: query.get("page") in broken)
    settings = ImpatientSettings((short_sandbox.url,), db.url, rate=0.0)
    with Worker(settings, short_sandbox.url, None, StopRequest()) as worker:
        reports = [
            worker.run_batch(PageBatch((ListPage(page, size=ROWS),)))
            for page in (*sorted(broken), 1)
        ]

    assert [report.counts.failed for report in reports] == [1] * len(broken) + [0]
    assert reports[-1].counts.saved == ROWS
    assert not any(report.stop_reason for report in reports)
