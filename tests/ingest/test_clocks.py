"""One clock: what a clock that was wrong has written costs nothing once the clock is right."""

from datetime import timedelta

import pytest

from database.bookkeeping.request_budget import reset_budget, take_slot
from database.db import DatabaseManager
from database.monitoring.history import read_freshness
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.runs import MOVIES, fetch, read_sql

AHEAD = "now() + interval '2 hours'"


def test_rows_that_were_written_in_the_future_are_written_again(
    db: DatabaseManager, sandbox: Sandbox
):
    """
    No response is thrown away as older than a row whose time is still to come.
    """
    fetch(db, sandbox.url, details=False)
    run_sql(db.url, f"UPDATE movies SET fetched_at = {AHEAD}, title = 'Old'")

    report = fetch(db, sandbox.url)
    fetch(db, sandbox.url, update=True)

    assert report.counts.updated == MOVIES
    assert (report.exit_code, report.is_complete) == (0, True)
    assert read_sql(db, "SELECT count(*) FROM movies WHERE title = 'Old'") == [0]


def test_details_of_the_future_are_stale(db: DatabaseManager, sandbox: Sandbox):
    """
    Their age cannot be known, so they are renewed.
    """
    fetch(db, sandbox.url)
    run_sql(db.url, f"UPDATE movies SET details_fetched_at = {AHEAD} WHERE external_id < 50")

    report = fetch(db, sandbox.url, stale_after=timedelta(days=30))

    assert (
        report.counts.unchanged
        == read_sql(db, "SELECT count(*) FROM movies WHERE external_id < 50")[0]
    )
    assert read_sql(db, "SELECT count(*) FROM movies WHERE details_fetched_at > now()") == [0]


def test_failures_and_denials_of_the_future_are_due(db: DatabaseManager, sandbox: Sandbox):
    """
    A failure that was recorded under a wrong clock does not wait until that time comes.
    """
    fetch(db, sandbox.url, details=False)
    run_sql(
        db.url,
        "INSERT INTO fetch_failures (kind, key, stage, error_class, message, last_failed_at, "
        f"next_attempt_at) VALUES ('movie', '5', 'fetch', 'Test', 'then', {AHEAD}, {AHEAD})",
        "INSERT INTO missing_movies (external_id, last_asked_at, ask_again_at, denials) "
        f"VALUES (6, {AHEAD}, {AHEAD}, 2)",
    )

    fetch(db, sandbox.url)

    assert db.get_stats()["movies_with_details"] == MOVIES
    assert db.get_stats()["total_failures"] == db.get_stats()["total_missing"] == 0


@pytest.mark.parametrize("max_requests", [None, 1000])
def test_slots_of_the_future_start_from_now(
    db: DatabaseManager, sandbox: Sandbox, max_requests: int | None
):
    """
    A run does not wait for the clock to catch up, neither at its start nor on its way.
    """
    reset_budget(db.engine, 500.0)
    run_sql(db.url, f"UPDATE request_budget SET last_slot_at = {AHEAD}, slowed_at = {AHEAD}")

    report = fetch(db, sandbox.url, rate=500.0, max_requests=max_requests, details=False)

    assert report.exit_code == 0
    run_sql(db.url, f"UPDATE request_budget SET last_slot_at = {AHEAD}")
    slot = take_slot(db.engine, 500.0)
    assert slot is not None
    assert slot.seconds < 1


def test_a_run_that_ended_in_the_future_makes_nothing_fresh(db: DatabaseManager, sandbox: Sandbox):
    """
    No age is negative, and no mirror is fresh for as long as the clock was ahead.
    """
    fetch(db, sandbox.url)
    assert read_freshness(db).age is not None
    run_sql(db.url, f"UPDATE fetch_runs SET finished_at = {AHEAD}")

    assert read_freshness(db).age is None
