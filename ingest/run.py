"""
One whole run: probe the source, read its list, then fetch the details that are lacking.

1. Take the lock of the database, so that runs do not overlap.
2. Ask each base URL for the first page; the first that answers like YTS is used.
3. Read list pages and save what they say.
4. Fetch details of stored movies that lack them, in batches, on the pool.
5. Close the run's row; its counters are those that the saved steps have moved.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial

from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.lock import hold_fetch_lock
from database.reasons import explain_trouble
from database.runs import RunTakenOver, change_run, start_run
from database.source import SourceMismatch, claim_source
from ingest.budget import LimitReached, Stopped
from ingest.course import Course, Listener
from ingest.plan import PageBatch
from ingest.pool import BatchPool
from ingest.read_details import read_details, read_ids, retry_failed
from ingest.read_list import plan_first_page, read_list
from ingest.report import RunReport
from ingest.settings import RunSettings
from ingest.stop import (
    EXIT_DATABASE,
    EXIT_FATAL,
    EXIT_LIMIT,
    EXIT_UNAVAILABLE,
    EXIT_USAGE,
    Stop,
)
from ingest.worker import Worker, run_batch, start_worker
from yts.answers import MoviePage
from yts.errors import YtsRefused, YtsUnavailable
from yts.settings import without_secrets

#: Requests to a base URL until the next is tried.
PROBE_ATTEMPTS = 3
#: How the Server header of practice data begins.
SANDBOX_SERVER = "yts-sandbox"


def run_fetch(
    settings: RunSettings, db: DatabaseManager, command: str, listener: Listener, stop: Stop
) -> RunReport:
    """
    Mirror what *settings* say; set *stop* to end early with what is saved by then.

    Trouble with single pages and movies is in the report and in the ledger.

    Raises:
        FetchLockHeld: another run is at work on this database.
        SourceMismatch: the sandbox would be mixed into the real catalogue.
        RunTakenOver: this run lost its lock, and another has begun.
        DatabaseNotReady: the database went away and stayed away.
        YtsUnavailable: no base URL answers; nothing was changed.
        YtsRefused: no base URL is one of a YTS API; nothing was changed.
    """
    with hold_fetch_lock(db.engine, settings.wait_lock_seconds, stop.wait) as lock:
        with db.get_session() as session:
            run_id = start_run(session, command)
        course = Course(settings, db, run_id, listener, stop=stop, lock=lock)
        try:
            return _follow(course)
        except LimitReached:
            return course.finish(is_sweep_complete=False, exit_code=EXIT_LIMIT)
        except Stopped:
            return course.finish(is_sweep_complete=False)
        except Exception as error:
            with suppress(DatabaseNotReady, RunTakenOver):
                course.finish(is_sweep_complete=False, exit_code=_exit_code(error))
            raise


def _exit_code(error: Exception) -> int:
    """Return the exit code of a run that ends with *error*."""
    if isinstance(error, YtsUnavailable):
        return EXIT_UNAVAILABLE
    if isinstance(error, YtsRefused | SourceMismatch):
        return EXIT_USAGE
    if isinstance(error, DatabaseNotReady) or explain_trouble(error):
        return EXIT_DATABASE
    return EXIT_FATAL


def _follow(course: Course) -> RunReport:
    settings = course.settings
    is_sweep_complete = True
    with _open_source(course) as (worker, first, page), _open_pool(course, worker) as pool:
        if settings.retry_failed:
            retry_failed(course, pool)
        elif settings.ids is not None:
            read_ids(course, pool, settings.ids)
        else:
            is_sweep_complete = read_list(course, worker, pool, first, page)
            if course.goes_on and settings.details:
                read_details(course, pool)
    return course.finish(is_sweep_complete=is_sweep_complete)


@contextmanager
def _open_source(course: Course) -> Iterator[tuple[Worker, PageBatch, MoviePage]]:
    """Open a worker on the first base URL that answers, with the page it answered."""
    first = plan_first_page(course)
    reasons: list[YtsUnavailable | YtsRefused] = []
    for api_url in course.settings.api_urls:
        with Worker(course.settings, api_url, course.run_id, course.stop) as worker:
            worker.budget.reset()
            try:
                page = worker.client.fetch_page(first.page, first.order, attempts=PROBE_ATTEMPTS)
            except (YtsUnavailable, YtsRefused) as error:
                course.listener.note(f"{without_secrets(api_url)}: {error}")
                reasons.append(error)
                continue
            _claim(course, worker, api_url)
            yield worker, first, page
            return
    # An outage passes by itself, so it has the last word over a wrong URL.
    raise max(reasons, key=lambda error: isinstance(error, YtsUnavailable))


def _claim(course: Course, worker: Worker, api_url: str) -> None:
    is_sandbox = worker.client.server_name.startswith(SANDBOX_SERVER)
    with course.db.get_session() as session:
        if claim_source(session, "sandbox" if is_sandbox else "yts"):
            course.listener.note("The sandbox's practice movies were removed.")
        change_run(session, course.run_id, api_url=without_secrets(api_url))


@contextmanager
def _open_pool(course: Course, worker: Worker) -> Iterator[BatchPool]:
    """Open a pool whose processes start with the first batch; one worker means this process."""
    is_alone = course.settings.workers == 1
    start = partial(start_worker, course.settings, worker.api_url, course.run_id)
    pool = BatchPool(
        course.settings.workers,
        start=start,
        run=worker.run_batch if is_alone else run_batch,
        give_up=course.give_up,
        tick=course.tick,
        stop=course.stop,
    )
    try:
        yield pool
    finally:
        pool.close()
