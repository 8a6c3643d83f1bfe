"""A source that refuses one movie or page, or all of them, after the run has begun."""

import pytest

from database.db import DatabaseManager
from ingest.plan import ListPage, PageBatch
from ingest.stop import StopRequest
from ingest.worker.breaker import FAILURES_UNTIL_PROBE, MOVIES_PER_PROBE
from ingest.worker.worker import Worker
from sandbox.api.sandbox_server import Sandbox
from tests.support.runs import (
    FEW_MOVIES,
    ROWS,
    ImpatientSettings,
    fetch,
    read_sql,
    refuse,
    set_faults,
)

LEDGER = "SELECT kind, key, stage, error_class FROM fetch_failures"
THREADS = 4


def test_a_movie_that_is_refused_costs_no_other(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """The movie is in the ledger with the reason, and all others have their details."""
    refused = refuse(monkeypatch, 451, lambda query: query.get("movie_id") == 16)

    first, second = fetch(db, short_sandbox.url), fetch(db, short_sandbox.url)

    assert (first.exit_code, second.exit_code) == (3, 3)
    assert "failures on record" in str(second.work_left)
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES - 1
    assert read_sql(db, LEDGER) == [("movie", "16", "fetch", "YtsRefused")]
    assert "HTTP 451" in read_sql(db, "SELECT message FROM fetch_failures")[0]
    assert len(refused) == 1


def test_a_page_that_is_refused_costs_no_other(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """The page is in the ledger, and holds the sweep as any page that failed."""
    refuse(monkeypatch, 451, lambda query: query.get("page") == 2)

    report = fetch(db, short_sandbox.url)

    assert (report.exit_code, report.is_sweep_complete) == (3, False)
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES - ROWS
    assert read_sql(db, LEDGER) == [("page", "2", "fetch", "YtsRefused")]


def test_a_source_that_refuses_every_movie_is_given_up_soon(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    Refusals in a row end the run as other failures do, although the list can be read; movies
    that were not tried have not failed.
    """
    refused = refuse(monkeypatch, 404, lambda query: "movie_id" in query)

    report = fetch(db, short_sandbox.url, threads=THREADS)

    most = FAILURES_UNTIL_PROBE + THREADS - 1
    assert report.exit_code == 4
    assert FAILURES_UNTIL_PROBE <= report.counts.failed <= most
    assert len(refused) <= report.counts.failed + MOVIES_PER_PROBE
    assert len(read_sql(db, LEDGER)) == report.counts.failed


def test_a_worker_that_has_given_up_requests_no_further_page(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """Pages that the worker has already accepted come back without an attempt."""
    set_faults(short_sandbox, _500=1.0)
    settings = ImpatientSettings((short_sandbox.url,), db.url, rate=0.0)
    with Worker(settings, short_sandbox.url, None, StopRequest()) as worker:
        reports = [
            worker.run_batch(PageBatch((ListPage(number, "asc"),))) for number in range(1, 9)
        ]

    assert [report.counts.failed for report in reports] == [1] * 5 + [0] * 3
    requests = [settings.ATTEMPTS] * 4 + [settings.ATTEMPTS + 1] + [0] * 3
    assert [report.requests for report in reports] == requests
    assert reports[4].stop_reason
