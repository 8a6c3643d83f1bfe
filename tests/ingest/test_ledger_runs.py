"""The ledger of failures: each is tried again when its time has come, and not before."""

import pytest

from database.bookkeeping.failures import Failure, record_failures
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import FEW_MOVIES, ROWS, counted, fetch, read_sql, refuse, tell

DUE = "UPDATE fetch_failures SET next_attempt_at = now() - interval '1 second'"


def test_a_retry_takes_what_is_due_and_nothing_else(db: DatabaseManager, short_sandbox: Sandbox):
    """Pages and movies that are due are fetched; success removes them from the ledger."""
    failures = [Failure("page", "2", "fetch", "Test", "")]
    failures += [Failure("movie", str(id_), "fetch", "Test", "") for id_ in (5, 6, 35)]
    with db.get_session() as session:
        record_failures(session, failures)
    run_sql(db.url, f"{DUE} WHERE key <> '6'")

    report = fetch(db, short_sandbox.url, retry_failed=True)

    assert report.exit_code == 0
    asked = {int(id_) for id_ in counted(short_sandbox)["ids"]}
    known = read_sql(db, "SELECT external_id FROM movies WHERE details_fetched_at IS NULL")
    assert asked - set(known) == {5, 35}, "except movies that show whether denials count"
    assert read_sql(db, "SELECT key FROM fetch_failures") == ["6"]
    assert db.get_stats()["total_movies"] == ROWS + 2


def test_a_movie_that_always_fails_is_requested_less_often(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """Its attempts are counted, the pause doubles, and earlier runs do not request it."""
    run_sql(
        db.url,
        "ALTER TABLE movies ADD CONSTRAINT no CHECK (external_id <> 7 OR like_count IS NULL)",
    )
    fetch(db, short_sandbox.url)
    pauses = []
    for attempt in range(1, 4):
        attempts, minutes = read_sql(
            db,
            "SELECT attempts, round(extract(epoch FROM next_attempt_at - last_failed_at) / 60) "
            "FROM fetch_failures",
        )[0]
        assert attempts == attempt
        pauses.append(int(minutes))
        run_sql(db.url, DUE)
        assert fetch(db, short_sandbox.url, retry_failed=True).exit_code == 3

    assert pauses == [10, 20, 40]
    assert counted(short_sandbox)["ids"]["7"] == 4
    fetch(db, short_sandbox.url)
    assert counted(short_sandbox)["ids"]["7"] == 4, "its time had not come"
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES - 1


def test_a_page_that_failed_in_an_update_is_updated_by_the_retry(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """The retry writes changes, for the movies on a page and for single movies."""
    fetch_first(db, short_sandbox)
    tell(short_sandbox, "change?ids=16")
    with monkeypatch.context() as patch:
        refuse(patch, 451, lambda query: query.get("page") == 2)
        assert fetch(db, short_sandbox.url, update=True).counts.updated == 0
    tell(short_sandbox, "change?ids=30")
    with db.get_session() as session:
        record_failures(session, [Failure("movie", "30", "fetch", "Test", "")])
    run_sql(db.url, DUE)

    report = fetch(db, short_sandbox.url, retry_failed=True)

    assert (report.exit_code, report.counts.updated) == (0, 2)
    assert read_sql(db, "SELECT count(*) FROM fetch_failures") == [0]


def test_a_row_that_cannot_be_read_is_requested_less_often(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """Such a row has no id, so its page is in the ledger until the row can be read."""
    tell(short_sandbox, "corrupt?ids=16&how=huge")
    fetch(db, short_sandbox.url, details=False)
    run_sql(db.url, DUE)
    fetch(db, short_sandbox.url, retry_failed=True)

    ledger = "SELECT kind, key, stage, attempts FROM fetch_failures"
    assert read_sql(db, ledger) == [("page", "2", "parse", 2)]
    tell(short_sandbox, "corrupt?ids=16&how=intact")
    run_sql(db.url, DUE)
    fetch(db, short_sandbox.url, retry_failed=True)
    assert read_sql(db, ledger) == []
    assert db.get_stats()["total_movies"] == FEW_MOVIES
