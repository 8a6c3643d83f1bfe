"""`BatchPool` with processes that are really killed."""

import multiprocessing
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from multiprocessing import forkserver
from pathlib import Path

import psutil
import pytest

from ingest.backends.base import ThreadBackend
from ingest.backends.processes import ProcessBackend
from ingest.plan import MovieBatch
from ingest.pool import BatchPool
from ingest.report import BatchReport, Counts
from ingest.stop import StopRequest
from tests.support.processes.pool_work import (
    POISON,
    SLOW,
    report_lost,
    run,
    start,
    start_if_preloaded,
)


@contextmanager
def pool_of(workers: int, folder: Path, stop: StopRequest | None = None) -> Iterator[BatchPool]:
    """Open a pool for the work of `pool_work`, and check that its processes end with it."""
    backend = (
        ThreadBackend(run)
        if workers == 1
        else ProcessBackend(workers, partial(start, str(folder)), run)
    )
    pool = BatchPool(backend, heartbeat=lambda: None, stop=stop or StopRequest())
    try:
        yield pool
    finally:
        pool.close()
        assert not multiprocessing.active_children()


def run_all(workers: int, folder: Path, batches: list[MovieBatch]) -> list[BatchReport]:
    """Return the reports of *batches*."""
    with pool_of(workers, folder) as pool:
        return [report_lost(result) for result in pool.run_batches(batches)]


def totals(reports: list[BatchReport]) -> Counts:
    """Add up the counts of all reports."""
    return sum((report.counts for report in reports), Counts())


def wait_for(mark: Path) -> str:
    """Wait for the file *mark*, and return its content."""
    while not (mark.exists() and (text := mark.read_text())):
        time.sleep(0.01)
    return text


def test_every_batch_is_reported_once(tmp_path: Path):
    """
    Three processes share the batches, and each is reported once.
    """
    batches = [MovieBatch((id_, id_ + 1000)) for id_ in range(1, 41)]

    reports = run_all(3, tmp_path, batches)

    assert len(reports) == 40
    assert totals(reports) == Counts(saved=80)


def test_new_processes_import_nothing():
    """
    The server that forks them has imported the worker, although the path does not name it.
    """
    # Another test may have started a server without these imports.
    forkserver._forkserver._stop()
    backend = ProcessBackend(1, start_if_preloaded, repr)
    try:
        assert backend.read(backend.submit(MovieBatch((1,))))
    finally:
        backend.close()


def test_batches_of_a_killed_process_run_again(tmp_path: Path):
    """
    The batches of a killed process run again in a new one.
    """
    batches = [MovieBatch((id_,)) for id_ in [1, 2, 0, 3, 4, 5, 6, 7, 8]]

    reports = run_all(2, tmp_path, batches)

    assert totals(reports) == Counts(saved=9)
    assert (tmp_path / "0").exists(), "no process died"


def test_a_batch_that_always_kills_is_given_up_and_the_others_are_not(tmp_path: Path):
    """
    Batches that were lost run alone, so that only the cause is given up, after three deaths.
    """
    batches = [MovieBatch((id_,)) for id_ in [1, 2, POISON, 3, 4, 5]]

    reports = run_all(2, tmp_path, batches)

    assert totals(reports) == Counts(saved=5, failed=1)


def test_of_a_batch_that_kills_only_one_movie_is_given_up(tmp_path: Path):
    """
    A batch that kills is split: its other movies are done.
    """
    batches = [MovieBatch((1, 2, POISON, 3)), MovieBatch((4, 5))]

    reports = run_all(2, tmp_path, batches)

    assert totals(reports) == Counts(saved=5, failed=1)


def test_a_killed_idle_process_does_not_block_the_others(tmp_path: Path):
    """
    A process that waits for work holds the lock of the queue; its death does not block others.
    """
    reports = []
    with pool_of(3, tmp_path) as pool:
        # Behind the slow batch, the other one needs a second process.
        for report in pool.run_batches([MovieBatch((SLOW,)), MovieBatch((1,))]):
            reports.append(report)
            if len(reports) == 1:
                busy = wait_for(tmp_path / "slow")
                idle = next(
                    child for child in multiprocessing.active_children() if str(child.pid) != busy
                )
                time.sleep(0.3)  # until it waits for more
                idle.kill()

    assert totals(reports) == Counts(saved=2)


def test_batches_run_again_after_the_fork_server_is_killed(tmp_path: Path):
    """
    Its processes count as dead; another server forks new ones, which do their work.
    """
    reports = []
    with pool_of(2, tmp_path) as pool:
        for report in pool.run_batches([MovieBatch((id_,)) for id_ in [1, SLOW, 2, 3]]):
            reports.append(report)
            if len(reports) == 1:
                psutil.Process(int(wait_for(tmp_path / "slow"))).parent().kill()

    assert totals(reports) == Counts(saved=4)


def test_a_pool_that_broke_between_two_phases_is_rebuilt(tmp_path: Path):
    """
    A pool that broke without batches in flight is noticed with the next batch.
    """
    with pool_of(2, tmp_path) as pool:
        first = list(pool.run_batches([MovieBatch((1,)), MovieBatch((2,))]))
        for child in multiprocessing.active_children():
            child.kill()
        time.sleep(0.3)  # until the executor knows
        second = list(pool.run_batches([MovieBatch((3,))]))

    assert totals(first + second) == Counts(saved=3)


def test_the_processes_of_one_phase_serve_the_next(tmp_path: Path):
    """
    A run has several phases, and only the first waits for processes to start.
    """
    with pool_of(2, tmp_path) as pool:
        first = list(pool.run_batches([MovieBatch((1,)), MovieBatch((2,))]))
        before = {child.pid for child in multiprocessing.active_children()}
        second = list(pool.run_batches([MovieBatch((3,))]))
        after = {child.pid for child in multiprocessing.active_children()}

    assert totals(first + second) == Counts(saved=3)
    assert before == after
    assert len(before) == 2


@pytest.mark.parametrize("workers", [1, 2])
def test_an_error_of_the_database_ends_the_run(workers: int, tmp_path: Path, monkeypatch):
    """
    An error that no batch has caused is raised in the main process, and no process stays.
    """
    monkeypatch.setenv("MARKS", str(tmp_path))

    with pytest.raises(OSError, match="database is gone"):
        run_all(workers, tmp_path, [MovieBatch((1,)), MovieBatch((-1,))])


def test_a_stop_reports_what_is_under_way_and_starts_nothing_more(tmp_path: Path):
    """
    Batches in flight finish and are reported; the others are not begun.
    """
    stop = StopRequest()
    taken = []

    def batches():
        for id_ in [1, SLOW, SLOW + 1000, *range(2, 100)]:
            taken.append(id_)
            yield MovieBatch((id_,))

    reports = []
    with pool_of(2, tmp_path, stop) as pool:
        for report in pool.run_batches(batches()):
            reports.append(report)
            stop.set()

    assert 1 <= totals(reports).saved < 20
    assert len(taken) < 20


def test_batches_are_taken_only_as_needed(tmp_path: Path, monkeypatch):
    """
    A plan of a million batches costs no memory, because only a few are taken at a time.
    """
    monkeypatch.setenv("MARKS", str(tmp_path))
    taken = []
    plan = (taken.append(id_) or MovieBatch((id_,)) for id_ in range(1, 1000))

    with pool_of(1, tmp_path) as pool:
        next(iter(pool.run_batches(plan)))

    assert len(taken) <= 2
