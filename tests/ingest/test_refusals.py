"""A source that answered when the run began, and now refuses: one item, or all of them."""

import pytest

from database.db import DatabaseManager
from ingest.plan import PageBatch
from ingest.stop import StopRequest
from ingest.worker.breaker import FAILURES_UNTIL_PROBE, MOVIES_PER_PROBE
from ingest.worker.worker import Worker
from sandbox.api.sandbox_server import Sandbox
from tests.support.runs import MOVIES, ImpatientSettings, fetch, read_sql, refuse, set_faults

LEDGER = "SELECT kind, key, stage, error_class FROM fetch_failures"
THREADS = 4


def test_a_movie_that_is_refused_costs_no_other(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    It is in the ledger with its reason, all others have their details, and its time will come.
    """
    refused = refuse(monkeypatch, 451, lambda query: query.get("movie_id") == 60)

    first, second = fetch(db, sandbox.url), fetch(db, sandbox.url)

    assert (first.exit_code, second.exit_code) == (3, 3)
    assert "failures on record" in str(second.work_left)
    assert db.get_stats()["movies_with_details"] == MOVIES - 1
    assert read_sql(db, LEDGER) == [("movie", "60", "fetch", "YtsRefused")]
    assert "HTTP 451" in read_sql(db, "SELECT message FROM fetch_failures")[0]
    assert len(refused) == 1


def test_a_page_that_is_refused_costs_no_other(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A list page likewise; it holds the sweep as any page that failed.
    """
    refuse(monkeypatch, 451, lambda query: query.get("page") == 2)

    report = fetch(db, sandbox.url)

    assert (report.exit_code, report.is_sweep_complete) == (3, False)
    assert db.get_stats()["movies_with_details"] == MOVIES - 50
    assert read_sql(db, LEDGER) == [("page", "2", "fetch", "YtsRefused")]


def test_a_source_that_refuses_every_movie_is_given_up_soon(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    Refusals in a row end the run as other failures do, though the list can be read; what was not
    tried has not failed.
    """
    refused = refuse(monkeypatch, 404, lambda query: "movie_id" in query)

    report = fetch(db, sandbox.url, threads=THREADS)

    most = FAILURES_UNTIL_PROBE + THREADS - 1
    assert report.exit_code == 4
    assert FAILURES_UNTIL_PROBE <= report.counts.failed <= most
    assert len(refused) <= report.counts.failed + MOVIES_PER_PROBE
    assert len(read_sql(db, LEDGER)) == report.counts.failed


def test_a_worker_that_has_given_up_asks_for_no_further_page(db: DatabaseManager, sandbox: Sandbox):
    """
    Pages that it was given before the run could know come back untried.
    """
    set_faults(sandbox, _500=1.0)
    settings = ImpatientSettings((sandbox.url,), db.url, rate=0.0)
    with Worker(settings, sandbox.url, None, StopRequest()) as worker:
        reports = [worker.run_batch(PageBatch(number, "asc")) for number in range(1, 9)]

    assert [report.counts.failed for report in reports] == [1] * 5 + [0] * 3
    requests = [settings.ATTEMPTS] * 4 + [settings.ATTEMPTS + 1] + [0] * 3
    assert [report.requests for report in reports] == requests
    assert reports[4].stop_reason
