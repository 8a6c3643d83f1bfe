"""Whole runs against the sandbox and a real database, with real worker processes."""

import errno
import os
from collections.abc import Callable, Iterable
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import URL

from cli.display.progress_rate import left_of
from database.bookkeeping.failures import Failure, record_failures
from database.bookkeeping.fetch_lock import FetchLockHeld, hold_fetch_lock
from database.bookkeeping.source import SourceMismatch
from database.bookkeeping.sweep_state import get_or_create_sync_state
from database.db import DatabaseManager
from ingest.ids import parse_ids
from ingest.report import RunReport
from ingest.worker.breaker import FAILURES_UNTIL_PROBE, MOVIES_PER_PROBE
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import table_contents
from tests.support.runs import (
    MOVIES,
    ImpatientSettings,
    counted,
    fetch,
    impatient_client,
    set_faults,
    tell,
)
from yts.errors import YtsRefused, YtsUnavailable


def test_a_run_mirrors_the_whole_catalogue(db: DatabaseManager, sandbox: Sandbox):
    """
    Every movie lands with its details, and the outcomes add up to what was planned.
    """
    report = fetch(db, sandbox.url)

    stats = db.get_stats()
    assert (stats["total_movies"], stats["movies_with_details"]) == (MOVIES, MOVIES)
    assert report.exit_code == 0
    assert (report.counts.saved, report.counts.updated) == (MOVIES, MOVIES)
    assert report.counts.planned == 2 * MOVIES
    assert report.is_sweep_complete
    assert report.requests == MOVIES / 50 + 1 + MOVIES


def test_any_division_of_the_work_gives_the_same_tables(
    new_database: Callable[..., URL], sandbox: Sandbox
):
    """
    Workers, threads and batch sizes change the order of things, never the result.
    """
    contents = []
    for settings in (
        {"workers": 1, "threads": 1, "batch_size": 200},
        {"workers": 3, "threads": 4, "batch_size": 7},
    ):
        with DatabaseManager(new_database()) as db:
            fetch(db, sandbox.url, **settings)
            contents.append(table_contents(db))

    assert contents[0] == contents[1]
    assert len(contents[0]["movies"]) == MOVIES


def test_ids_give_the_same_movies_as_the_list(new_database: Callable[..., URL], sandbox: Sandbox):
    """
    Walking an id range finds what the list names; ids in the gaps are missing, not failed.
    """
    with DatabaseManager(new_database()) as by_list, DatabaseManager(new_database()) as by_ids:
        fetch(by_list, sandbox.url, details=False)
        listed = {row[0] for row in table_contents(by_list)["movies"]}
        report = fetch(by_ids, sandbox.url, ids=parse_ids(f"1-{max(listed)}"))
        walked = {row[0] for row in table_contents(by_ids)["movies"]}

    assert walked == listed
    assert report.counts.missing == max(listed) - len(listed)
    assert report.exit_code == 0


def test_a_second_walk_over_ids_asks_only_for_missing_ones(db: DatabaseManager, sandbox: Sandbox):
    """
    Known movies are skipped by set; that one was missing is no reason not to ask as told.
    """
    missing = fetch(db, sandbox.url, ids=parse_ids("1-150")).counts.missing
    report = fetch(db, sandbox.url, ids=parse_ids("1-150"))

    assert report.counts.skipped == 150 - missing
    assert report.requests == 1 + 1 + missing, "the probe, a known movie and the missing ones"


def test_a_run_with_nothing_new_needs_three_requests(db: DatabaseManager, sandbox: Sandbox):
    """
    A cron run sees from the last pages that nothing is new, and changes nothing.
    """
    fetch(db, sandbox.url)
    before = table_contents(db)

    report = fetch(db, sandbox.url)

    assert report.requests == 3
    assert report.counts.skipped == report.counts.planned == 100
    assert table_contents(db) == before


def test_a_failed_movie_is_not_asked_for_by_every_run(db: DatabaseManager, sandbox: Sandbox):
    """
    The list may go on naming a movie that has no details; that is no reason to ask daily.
    """
    fetch(db, sandbox.url, details=False)
    with db.get_session() as session:
        record_failures(
            session, [Failure("movie", key, "fetch", "Test", "of old") for key in ("5", "6", "7")]
        )

    first = fetch(db, sandbox.url)
    again = fetch(db, sandbox.url)

    assert db.get_stats()["movies_with_details"] == MOVIES - 3
    assert first.counts.updated == MOVIES - 3
    assert again.requests == 3


def test_new_movies_cost_one_request_each_and_a_few_pages(db: DatabaseManager, sandbox: Sandbox):
    """
    A cron run finds what was added on top, and fetches only that.
    """
    fetch(db, sandbox.url)
    tell(sandbox, "add?count=70")

    report = fetch(db, sandbox.url)

    assert report.counts.saved == 70
    assert report.requests <= 70 + 70 / 50 + 4
    assert db.get_stats()["movies_with_details"] == MOVIES + 70


def test_an_update_writes_what_changed_and_nothing_else(db: DatabaseManager, sandbox: Sandbox):
    """
    A refresh costs the list's requests and touches only movies that really changed.
    """
    fetch(db, sandbox.url)
    tell(sandbox, "change?ids=3,5")

    report = fetch(db, sandbox.url, update=True)
    again = fetch(db, sandbox.url, update=True)

    assert (report.counts.updated, report.counts.unchanged) == (2, MOVIES - 2)
    assert (again.counts.updated, again.counts.unchanged) == (0, MOVIES)
    assert again.requests <= MOVIES / 50 + 2


def test_limited_runs_together_read_everything(db: DatabaseManager, sandbox: Sandbox):
    """
    Each run with a limit of pages goes on where the one before ended, until all is there.
    """
    reports = [fetch(db, sandbox.url, max_pages=2, details=False) for _ in range(3)]

    assert [report.is_sweep_complete for report in reports] == [False, False, True]
    assert db.get_stats()["total_movies"] == MOVIES


def test_a_failed_page_is_recorded_and_read_by_the_next_run(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """
    Missing pages hold the watermark; the next run repeats them and the ledger is empty again.
    """
    with open_sandbox(SandboxSettings(movies=400)) as sandbox:
        impatient_client(monkeypatch, attempts=1)
        set_faults(sandbox, no_movies=0.4)
        report = _until(lambda: fetch(db, sandbox.url, details=False, full=True), failed=True)
        with db.get_session() as session:
            watermark = get_or_create_sync_state(session).watermark_movie_id
        set_faults(sandbox)
        repaired = fetch(db, sandbox.url, details=False)

    assert report.exit_code == 3
    assert watermark is None
    assert repaired.is_sweep_complete
    assert db.get_stats()["total_movies"] == 400
    assert db.get_stats()["total_failures"] == 0


def _until(run: Callable[[], RunReport], *, failed: bool) -> RunReport:
    """Repeat *run* while the source is too broken to begin, which is another outcome."""
    for _ in range(20):
        try:
            report = run()
        except YtsUnavailable:
            continue
        if bool(report.counts.failed) is failed:
            return report
    raise AssertionError("no run ended as wanted")


def test_a_source_that_dies_is_left_alone_soon(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A dead source costs few requests, and movies that were not tried are not called failed.
    """
    impatient_client(monkeypatch, attempts=2, backoff_seconds=0.01)
    fetch(db, sandbox.url, details=False)
    asked = counted(sandbox)["requests"]
    set_faults(sandbox, _503=1.0)

    with pytest.raises(YtsUnavailable):
        fetch(db, sandbox.url)
    set_faults(sandbox, _500=0.0)

    assert counted(sandbox)["requests"] - asked <= 10
    assert db.get_stats()["total_failures"] == 0


@pytest.mark.parametrize(
    ("phase", "movies", "workers", "threads"),
    [("details", 200, 1, 4), ("details", 200, 2, 4), ("pages", 1000, 2, 1)],
)
def test_a_source_that_dies_on_the_way_ends_the_run_soon(
    db: DatabaseManager, phase: str, movies: int, workers: int, threads: int
):
    """
    Few requests are wasted, exit 4, and only what was tried in vain is called failed.

    Each worker asks for one page at a time, whatever its threads.
    """
    asked: list[int] = []

    with open_sandbox(SandboxSettings(movies=movies, latency_seconds=0.05)) as sandbox:

        def die(row: dict[str, object]) -> None:
            if row["phase"] == phase and not asked:
                set_faults(sandbox, _503=1.0)
                asked.append(counted(sandbox)["requests"])

        report = fetch(
            db, sandbox.url, workers=workers, threads=4, progress=die, kind=ImpatientSettings
        )
        wasted = counted(sandbox)["requests"] - asked[0]

    failures = workers * (FAILURES_UNTIL_PROBE + threads - 1)
    assert report.exit_code == 4
    # One movie that was given in this run, and others that are stored.
    assert wasted <= failures * ImpatientSettings.ATTEMPTS + workers * (1 + MOVIES_PER_PROBE)
    assert FAILURES_UNTIL_PROBE <= report.counts.failed <= failures
    assert db.get_stats()["total_failures"] == report.counts.failed


def test_the_first_base_url_that_answers_like_yts_is_used(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A dead host and a host that is no API are passed over.
    """
    impatient_client(monkeypatch, backoff_seconds=0.01)
    report = fetch(
        db, "http://127.0.0.1:9/api/v2", f"{sandbox.root}/nowhere", sandbox.url, details=False
    )

    assert report.counts.saved == MOVIES


def test_no_source_at_all_changes_nothing(db: DatabaseManager, sandbox: Sandbox):
    """
    An outage is never an empty catalogue.
    """
    fetch(db, sandbox.url, details=False)
    before = table_contents(db)

    with pytest.raises(YtsRefused):
        fetch(db, f"{sandbox.root}/nowhere")

    assert table_contents(db) == before


def test_two_runs_do_not_overlap(db: DatabaseManager, sandbox: Sandbox):
    """
    The second says who holds the lock, and does nothing.
    """
    with hold_fetch_lock(db.engine), pytest.raises(FetchLockHeld, match="since"):
        fetch(db, sandbox.url)

    assert db.get_stats()["total_movies"] == 0


def test_practice_movies_never_mix_with_real_ones(db: DatabaseManager, sandbox: Sandbox):
    """
    The sandbox is refused where real movies are.
    """
    db.save_movie({"id": 7, "title": "A real one"})

    with pytest.raises(SourceMismatch, match="sandbox"):
        fetch(db, sandbox.url)

    assert db.get_stats()["total_movies"] == 1


def test_practice_movies_give_way_to_real_ones(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A live run after practice begins with empty tables.
    """
    fetch(db, sandbox.url, details=False)
    monkeypatch.setattr("ingest.phases.open_source.SANDBOX_SERVER", "not this one")

    fetch(db, sandbox.url, max_pages=1, details=False)

    assert db.get_stats()["total_movies"] == 50


def test_planned_is_the_sum_of_the_outcomes_in_every_run(db: DatabaseManager, sandbox: Sandbox):
    """
    The row of each run says the same as its report.
    """
    reports: Iterable[RunReport] = [
        fetch(db, sandbox.url, max_pages=1),
        fetch(db, sandbox.url, ids=parse_ids("1-60")),
        fetch(db, sandbox.url),
    ]
    with db.get_session() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT planned, saved, updated, unchanged, skipped, missing, failed "
            "FROM fetch_runs ORDER BY id"
        )
        stored = [tuple(row) for row in rows]

    for report, (planned, *outcomes) in zip(reports, stored, strict=True):
        assert planned == sum(outcomes) == report.counts.planned


@pytest.mark.parametrize(
    "told",
    [{}, {"details": False}, {"max_pages": 2}, {"update": True}, {"full": True}, {"audit": 500}],
    ids=str,
)
@pytest.mark.parametrize("is_filled", [False, True])
def test_the_row_foresees_the_whole_run(
    db: DatabaseManager, sandbox: Sandbox, told: dict[str, Any], is_filled: bool
):
    """
    While pages are read it has the details that follow; in the end only what was asked for.
    """
    if is_filled:
        fetch(db, sandbox.url)
        tell(sandbox, "add?count=20")
    rows: list[dict[str, Any]] = []

    report = fetch(db, sandbox.url, progress=rows.append, **told)

    early = [row for row in rows if row["phase"] == "pages" and row["pages_expected"]]
    assert early
    # The page that confirms the end is not expected, and one may be asked for twice.
    for row in early:
        left = left_of(row)
        assert left is not None
        assert row["requests"] + left == pytest.approx(report.requests, abs=2)
    assert rows[-1]["details_expected"] == rows[-1]["details_read"]


@pytest.mark.parametrize("code", [errno.EROFS, errno.ENOSPC, errno.EACCES, errno.ENOENT])
def test_without_locks_for_workers_the_main_process_does_it(
    code: int, db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A /dev/shm that is read-only, full or missing costs speed, and a sentence.
    """
    refusal = Mock(side_effect=OSError(code, os.strerror(code)))
    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refusal)
    notices: list[str] = []

    report = fetch(db, sandbox.url, workers=2, notice=notices.append)

    assert (report.exit_code, report.is_complete) == (0, True)
    (notice,) = notices
    assert f"/dev/shm takes no locks ({os.strerror(code)})" in notice
    assert "--workers 1" in notice
