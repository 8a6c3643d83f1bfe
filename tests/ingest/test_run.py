"""Complete runs against the sandbox and a real database, some with worker processes."""

import errno
import os
import time
from collections.abc import Callable, Iterable
from threading import Barrier, Event
from typing import Any
from unittest.mock import Mock

import pytest
from sqlalchemy import URL, QueuePool
from sqlalchemy.orm import Session

import ingest.run
from cli.display.progress_rate import left_of
from database.bookkeeping.failures import Failure, record_failures
from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.bookkeeping.rows import WorkerRow
from database.bookkeeping.sweep_state import read_state
from database.db import DatabaseManager
from database.errors import FetchLockHeld, SourceMismatch
from ingest import worker_waits
from ingest.ids import parse_ids
from ingest.plan import ListPage, PageBatch
from ingest.report import RunReport
from ingest.settings import RunSettings
from ingest.stop import StopRequest
from ingest.worker.breaker import FAILURES_UNTIL_PROBE, MOVIES_PER_PROBE
from ingest.worker.worker import Worker
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import table_contents
from tests.support.first_runs import fetch_first
from tests.support.runs import (
    FEW_MOVIES,
    ROWS,
    ImpatientSettings,
    counted,
    fetch,
    impatient_client,
    set_faults,
    shrink_pages,
    tell,
)
from yts.client import YtsClient
from yts.errors import YtsRefused, YtsUnavailable
from yts.responses import MoviePage

LONG_CODES = [
    pytest.param(code, marks=pytest.mark.long)
    for code in (errno.ENOSPC, errno.EACCES, errno.ENOENT)
]


def test_a_run_mirrors_the_whole_catalogue(db: DatabaseManager):
    """All movies are stored with their details, and the outcomes add up to the planned number."""
    movies = 100
    with open_sandbox(SandboxSettings(movies=movies)) as sandbox:
        report = fetch(db, sandbox.url)

    stats = db.get_stats()
    assert (stats["total_movies"], stats["movies_with_details"]) == (movies, movies)
    assert report.exit_code == 0
    assert (report.counts.saved, report.counts.updated) == (movies, movies)
    assert report.counts.planned == 2 * movies
    assert report.is_sweep_complete
    assert report.requests == movies / 50 + 1 + movies


def test_any_division_of_the_work_gives_the_same_tables(
    new_database: Callable[..., URL], short_sandbox: Sandbox
):
    """Workers, threads and batch sizes change the order of the steps, not the result."""
    contents = []
    for settings in (
        {"workers": 1, "threads": 1, "batch_size": 200},
        {"workers": 3, "threads": 4, "batch_size": 7},
    ):
        with DatabaseManager(new_database()) as db:
            fetch(db, short_sandbox.url, **settings)
            contents.append(table_contents(db))

    assert contents[0] == contents[1]
    assert len(contents[0]["movies"]) == FEW_MOVIES


def test_ids_give_the_same_movies_as_the_list(
    new_database: Callable[..., URL], short_sandbox: Sandbox
):
    """A range of ids gives the movies of the list; ids in the gaps are missing, not failed."""
    with DatabaseManager(new_database()) as by_list, DatabaseManager(new_database()) as by_ids:
        fetch(by_list, short_sandbox.url, details=False)
        listed = {row[0] for row in table_contents(by_list)["movies"]}
        report = fetch(by_ids, short_sandbox.url, ids=parse_ids(f"1-{max(listed)}"))
        walked = {row[0] for row in table_contents(by_ids)["movies"]}

    assert walked == listed
    assert report.counts.missing == max(listed) - len(listed)
    assert report.exit_code == 0


def test_a_second_walk_over_ids_asks_only_for_missing_ones(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """Stored movies are skipped; ids that were missing before are requested again."""
    missing = fetch(db, short_sandbox.url, ids=parse_ids("1-30")).counts.missing
    report = fetch(db, short_sandbox.url, ids=parse_ids("1-30"))

    assert report.counts.skipped == 30 - missing
    assert report.requests == 1 + 1 + missing, "the probe, a known movie and the missing ones"


def test_a_run_with_nothing_new_needs_three_requests(db: DatabaseManager, short_sandbox: Sandbox):
    """A run by cron finds no new movie on the last pages, and changes nothing."""
    fetch_first(db, short_sandbox)
    before = table_contents(db)

    report = fetch(db, short_sandbox.url)

    assert report.requests == 3
    assert report.counts.skipped == report.counts.planned == 2 * ROWS
    assert table_contents(db) == before


def test_a_failed_movie_is_not_asked_for_by_every_run(db: DatabaseManager, short_sandbox: Sandbox):
    """A movie without details is not requested daily, although the list still names it."""
    fetch_first(db, short_sandbox, details=False)
    with db.get_session() as session:
        record_failures(
            session, [Failure("movie", key, "fetch", "Test", "of old") for key in ("5", "6", "7")]
        )

    first = fetch(db, short_sandbox.url)
    again = fetch(db, short_sandbox.url)

    assert db.get_stats()["movies_with_details"] == FEW_MOVIES - 3
    assert first.counts.updated == FEW_MOVIES - 3
    assert again.requests == 3


def test_new_movies_cost_one_request_each_and_a_few_pages(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """A run by cron finds the added movies, and fetches only those."""
    fetch_first(db, short_sandbox)
    tell(short_sandbox, "add?count=14")

    report = fetch(db, short_sandbox.url)

    assert report.counts.saved == 14
    assert report.requests <= 14 + 14 / ROWS + 4
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES + 14


def test_an_update_writes_what_changed_and_nothing_else(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """An update costs the requests for the list, and writes only movies that have changed."""
    fetch_first(db, short_sandbox)
    tell(short_sandbox, "change?ids=3,5")

    report = fetch(db, short_sandbox.url, update=True)
    again = fetch(db, short_sandbox.url, update=True)

    assert (report.counts.updated, report.counts.unchanged) == (2, FEW_MOVIES - 2)
    assert (again.counts.updated, again.counts.unchanged) == (0, FEW_MOVIES)
    assert again.requests <= FEW_MOVIES / ROWS + 2


def test_limited_runs_together_read_everything(db: DatabaseManager, short_sandbox: Sandbox):
    """Each run with a limit of pages continues where the one before ended, until all are stored."""
    reports = [fetch(db, short_sandbox.url, max_pages=2, details=False) for _ in range(3)]

    assert [report.is_sweep_complete for report in reports] == [False, False, True]
    assert db.get_stats()["total_movies"] == FEW_MOVIES


def test_the_pages_of_a_batch_are_requested_at_the_same_time(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """No request of a batch waits for the response of another one."""
    numbers = (1, 2, 3)
    requested, fetch_page = Barrier(len(numbers)), YtsClient.fetch_page

    def fetch_with_others(client: YtsClient, *arguments: Any, **options: Any) -> MoviePage:
        requested.wait(timeout=30)
        return fetch_page(client, *arguments, **options)

    monkeypatch.setattr(YtsClient, "fetch_page", fetch_with_others)
    settings = RunSettings((short_sandbox.url,), db.url, rate=0.0, threads=len(numbers))
    with Worker(settings, short_sandbox.url, None, StopRequest()) as worker:
        report = worker.run_batch(
            PageBatch(tuple(ListPage(number, size=ROWS) for number in numbers))
        )

    assert report.counts.saved == len(numbers) * ROWS
    assert {page.page for page in report.pages} == set(numbers)


def test_a_run_leaves_no_connection_in_use(db: DatabaseManager, monkeypatch: pytest.MonkeyPatch):
    """A look at the waits of the workers that has begun ends before the run does."""
    has_begun, read_workers = Event(), worker_waits.read_workers

    def read_slowly(session: Session) -> list[WorkerRow]:
        has_begun.set()
        time.sleep(0.2)
        return read_workers(session)

    monkeypatch.setattr(worker_waits, "read_workers", read_slowly)
    monkeypatch.setattr(worker_waits, "SECONDS_BETWEEN_LOOKS", 0.0)
    monkeypatch.setattr(worker_waits, "SECONDS_TO_END", 60.0)
    with worker_waits.relay_waits(db, notice=print):
        assert has_begun.wait(60)

    assert isinstance(db.engine.pool, QueuePool)
    assert db.engine.pool.checkedout() == 0


def test_a_failed_page_is_recorded_and_read_by_the_next_run(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """Failed pages hold the watermark; the next run reads them, and the ledger is empty again."""
    shrink_pages(monkeypatch)
    with open_sandbox(SandboxSettings(movies=8 * ROWS)) as sandbox:
        impatient_client(monkeypatch, attempts=1)
        set_faults(sandbox, no_movies=0.4)
        report = _until(lambda: fetch(db, sandbox.url, details=False, full=True), failed=True)
        with db.get_session() as session:
            watermark = read_state(session).watermark_movie_id
        set_faults(sandbox)
        repaired = fetch(db, sandbox.url, details=False)

    assert report.exit_code == 3
    assert watermark is None
    assert repaired.is_sweep_complete
    assert db.get_stats()["total_movies"] == 8 * ROWS
    assert db.get_stats()["total_failures"] == 0


def _until(run: Callable[[], RunReport], *, failed: bool) -> RunReport:
    """Repeat *run* until movies or pages have *failed*, or none; faults may end it at once."""
    for _ in range(20):
        try:
            report = run()
        except YtsUnavailable:
            continue
        if bool(report.counts.failed) is failed:
            return report
    raise AssertionError("no run ended as wanted")


def test_a_source_that_dies_is_left_alone_soon(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A dead source costs few requests, and movies that were not tried have not failed."""
    impatient_client(monkeypatch, attempts=2, backoff_seconds=0.01)
    fetch_first(db, short_sandbox, details=False)
    requests_before = counted(short_sandbox)["requests"]
    set_faults(short_sandbox, _503=1.0)

    with pytest.raises(YtsUnavailable):
        fetch(db, short_sandbox.url)
    set_faults(short_sandbox, _500=0.0)

    assert counted(short_sandbox)["requests"] - requests_before <= 10
    assert db.get_stats()["total_failures"] == 0


@pytest.mark.parametrize(
    ("phase", "movies", "workers", "threads"),
    [
        pytest.param("details", 200, 1, 4, marks=pytest.mark.long),
        ("details", 200, 2, 4),
        ("pages", 1000, 2, 4),
    ],
)
def test_a_source_that_dies_on_the_way_ends_the_run_soon(
    db: DatabaseManager, phase: str, movies: int, workers: int, threads: int
):
    """Few requests are wasted, the exit code is 4, and only what was tried fails."""
    asked: list[int] = []

    with open_sandbox(SandboxSettings(movies=movies, latency_seconds=0.05)) as sandbox:

        def die(row: dict[str, object]) -> None:
            if row["phase"] == phase and not asked:
                set_faults(sandbox, _503=1.0)
                asked.append(counted(sandbox)["requests"])

        report = fetch(
            db, sandbox.url, workers=workers, threads=threads, progress=die, kind=ImpatientSettings
        )
        wasted = counted(sandbox)["requests"] - asked[0]

    failures = workers * (FAILURES_UNTIL_PROBE + threads - 1)
    assert report.exit_code == 4
    # One movie that was given in this run, and others that are stored.
    assert wasted <= failures * ImpatientSettings.ATTEMPTS + workers * (1 + MOVIES_PER_PROBE)
    assert FAILURES_UNTIL_PROBE <= report.counts.failed <= failures
    assert db.get_stats()["total_failures"] == report.counts.failed


def test_the_first_base_url_that_answers_like_yts_is_used(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """The run skips a dead host and a host that does not serve the API."""
    impatient_client(monkeypatch, backoff_seconds=0.01)
    report = fetch(
        db,
        "http://127.0.0.1:9/api/v2",
        f"{short_sandbox.root}/nowhere",
        short_sandbox.url,
        details=False,
    )

    assert report.counts.saved == FEW_MOVIES


def test_no_source_at_all_changes_nothing(db: DatabaseManager, short_sandbox: Sandbox):
    """A run does not take an outage for an empty catalogue."""
    fetch_first(db, short_sandbox, details=False)
    before = table_contents(db)

    with pytest.raises(YtsRefused):
        fetch(db, f"{short_sandbox.root}/nowhere")

    assert table_contents(db) == before


def test_two_runs_do_not_overlap(db: DatabaseManager, short_sandbox: Sandbox):
    """The second run reports since when the lock is held, and does nothing."""
    with hold_fetch_lock(db.engine), pytest.raises(FetchLockHeld, match="since"):
        fetch(db, short_sandbox.url)

    assert db.get_stats()["total_movies"] == 0


def test_practice_movies_never_mix_with_real_ones(db: DatabaseManager, short_sandbox: Sandbox):
    """A database with real movies refuses the sandbox."""
    db.save_movie({"id": 7, "title": "A real one"})

    with pytest.raises(SourceMismatch, match="sandbox"):
        fetch(db, short_sandbox.url)

    assert db.get_stats()["total_movies"] == 1


def test_practice_movies_give_way_to_real_ones(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A run against YTS after one against the sandbox begins with empty tables."""
    fetch_first(db, short_sandbox, details=False)
    monkeypatch.setattr("ingest.phases.open_source.SANDBOX_SERVER", "not this one")

    fetch(db, short_sandbox.url, max_pages=1, details=False)

    assert db.get_stats()["total_movies"] == ROWS


def test_planned_is_the_sum_of_the_outcomes_in_every_run(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """The row of each run has the same counts as its report."""
    reports: Iterable[RunReport] = [
        fetch(db, short_sandbox.url, max_pages=1),
        fetch(db, short_sandbox.url, ids=parse_ids("1-20")),
        fetch(db, short_sandbox.url),
    ]
    with db.get_session() as session:
        rows = session.connection().exec_driver_sql(
            "SELECT planned, saved, updated, unchanged, skipped, missing, failed "
            "FROM fetch_runs ORDER BY id"
        )
        stored = [tuple(row) for row in rows]

    for report, (planned, *outcomes) in zip(reports, stored, strict=True):
        assert planned == sum(outcomes) == report.counts.planned


#: Options of a run, and the mirrors with which the case is in the suite; the others are long.
FORESEEN: list[tuple[dict[str, Any], set[str]]] = [
    ({}, {"empty", "filled"}),
    ({"max_pages": 2}, {"empty"}),
    ({"update": True}, {"filled"}),
    ({"details": False}, set()),
    ({"full": True}, set()),
    ({"audit": 500}, {"filled"}),
]


@pytest.mark.parametrize(
    ("options", "mirror"),
    [
        pytest.param(options, mirror, marks=[] if mirror in mirrors else [pytest.mark.long])
        for options, mirrors in FORESEEN
        for mirror in ("empty", "filled")
    ],
    ids=str,
)
def test_the_row_foresees_the_whole_run(
    db: DatabaseManager,
    short_sandbox: Sandbox,
    options: dict[str, Any],
    mirror: str,
    monkeypatch: pytest.MonkeyPatch,
):
    """While pages are read, the row has the details to follow; at the end, those requested."""
    monkeypatch.setattr(ingest.run, "HEARTBEAT_SECONDS", 0.0)
    if mirror == "filled":
        fetch_first(db, short_sandbox)
        tell(short_sandbox, "add?count=5")
    rows: list[dict[str, Any]] = []

    report = fetch(db, short_sandbox.url, progress=rows.append, **options)

    early = [row for row in rows if row["phase"] == "pages" and row["pages_expected"]]
    assert early
    # The page that confirms the end is not expected, and one may be requested twice.
    for row in early:
        left = left_of(row)
        assert left is not None
        assert row["requests"] + left == pytest.approx(report.requests, abs=2)
    assert rows[-1]["details_expected"] == rows[-1]["details_read"]


@pytest.mark.parametrize("code", [errno.EROFS, *LONG_CODES])
def test_without_locks_for_workers_the_main_process_does_it(
    code: int, db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A /dev/shm that is read-only, full or missing costs speed, and gives a message."""
    refusal = Mock(side_effect=OSError(code, os.strerror(code)))
    monkeypatch.setattr("multiprocessing.synchronize.SemLock.__init__", refusal)
    notices: list[str] = []

    report = fetch(db, short_sandbox.url, workers=2, notice=notices.append)

    assert (report.exit_code, report.is_complete) == (0, True)
    (notice,) = notices
    assert f"/dev/shm takes no locks ({os.strerror(code)})" in notice
    assert "--workers 1" in notice
