"""Times that a wrong clock has written have no effect once the clock is right."""

from datetime import timedelta

import pytest

from database.bookkeeping.request_budget import reset_budget, take_slot
from database.db import DatabaseManager
from database.monitoring.history import read_freshness
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import FEW_MOVIES, fetch, read_sql

AHEAD = "now() + interval '2 hours'"


def test_rows_that_were_written_in_the_future_are_written_again(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """No response is discarded because a row has a time in the future."""
    fetch_first(db, short_sandbox, details=False)
    run_sql(db.url, f"UPDATE movies SET fetched_at = {AHEAD}, title = 'Old'")

    report = fetch(db, short_sandbox.url)
    fetch(db, short_sandbox.url, update=True)

    assert report.counts.updated == FEW_MOVIES
    assert (report.exit_code, report.is_complete) == (0, True)
    assert read_sql(db, "SELECT count(*) FROM movies WHERE title = 'Old'") == [0]


def test_details_of_the_future_are_stale(db: DatabaseManager, short_sandbox: Sandbox):
    """The age of such details is unknown, so they are renewed."""
    fetch_first(db, short_sandbox)
    run_sql(db.url, f"UPDATE movies SET details_fetched_at = {AHEAD} WHERE external_id < 20")

    report = fetch(db, short_sandbox.url, stale_after=timedelta(days=30))

    assert (
        report.counts.unchanged
        == read_sql(db, "SELECT count(*) FROM movies WHERE external_id < 20")[0]
    )
    assert read_sql(db, "SELECT count(*) FROM movies WHERE details_fetched_at > now()") == [0]


def test_failures_and_denials_of_the_future_are_due(db: DatabaseManager, short_sandbox: Sandbox):
    """A failure with a time in the future is tried now, and does not wait for that time."""
    fetch_first(db, short_sandbox, details=False)
    run_sql(
        db.url,
        "INSERT INTO fetch_failures (kind, key, stage, error_class, message, last_failed_at, "
        f"next_attempt_at) VALUES ('movie', '5', 'fetch', 'Test', 'then', {AHEAD}, {AHEAD})",
        "INSERT INTO missing_movies (external_id, last_asked_at, ask_again_at, denials) "
        f"VALUES (6, {AHEAD}, {AHEAD}, 2)",
    )

    fetch(db, short_sandbox.url)

    assert db.get_stats()["movies_with_details"] == FEW_MOVIES
    assert db.get_stats()["total_failures"] == db.get_stats()["total_missing"] == 0


@pytest.mark.parametrize("max_requests", [pytest.param(None, marks=pytest.mark.long), 1000])
def test_slots_of_the_future_start_from_now(
    db: DatabaseManager, short_sandbox: Sandbox, max_requests: int | None
):
    """A run does not wait until that time, neither at its start nor later."""
    reset_budget(db.engine, 500.0)
    run_sql(db.url, f"UPDATE request_budget SET last_slot_at = {AHEAD}, slowed_at = {AHEAD}")

    report = fetch(db, short_sandbox.url, rate=500.0, max_requests=max_requests, details=False)

    assert report.exit_code == 0
    run_sql(db.url, f"UPDATE request_budget SET last_slot_at = {AHEAD}")
    slot = take_slot(db.engine, 500.0)
    assert slot is not None
    assert slot.seconds < 1


def test_a_run_that_ended_in_the_future_makes_nothing_fresh(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """The age of a run that ended in the future is unknown, not negative."""
    fetch_first(db, short_sandbox)
    assert read_freshness(db).age is not None
    run_sql(db.url, f"UPDATE fetch_runs SET finished_at = {AHEAD}")

    assert read_freshness(db).age is None
