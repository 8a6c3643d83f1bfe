"""`read_details`, `read_ids`, `retry_failed`: fetch details, one request for each movie."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice

from sqlalchemy.orm import Session

from database.bookkeeping.due import (
    read_due_failures,
    read_ids_without_details,
    read_known,
    read_stale,
)
from database.bookkeeping.failures import Failure
from database.bookkeeping.sweep_state import read_state
from database.step import Step, save_step
from ingest.estimates import read_details_left
from ingest.phases.canary import require_plausible
from ingest.phases.open_source import OpenSource
from ingest.plan import (
    ListPage,
    MovieBatch,
    choose_batch_sizes,
    plan_movie_batches,
    plan_page_batches,
)
from ingest.pool import BatchPool
from ingest.report import BatchReport, Counts
from ingest.run import ReportHandler, Run, ignore_report

#: Ids read from the table at a time, so that memory does not grow with the catalogue.
IDS_PER_READ = 1000
#: Movies of the smallest batches for each thread: a worker waits between two batches.
MOVIES_PER_THREAD = 8
#: Ids checked at a time for being known; each check is a step of its own.
IDS_PER_LOOK = 10_000


def read_ids(run: Run, pool: BatchPool, source: OpenSource, ids: tuple[range, ...]) -> None:
    """Fetch the movies of `--ids`; stored ones only with `--update`."""
    kind = MovieBatch((), update=run.settings.update, denial_context=run.denial_context)
    unknown = _without_known(run, chain.from_iterable(ids))
    expected = sum(len(part) for part in ids)
    run.expect_details(expected)
    first = next(unknown, None)
    if first is not None and require_plausible(run, source):
        fetch_movies(run, pool, chain([first], unknown), expected, kind)


def read_details(run: Run, pool: BatchPool) -> None:
    """Fetch details of stored movies without any, newest first; then renew those that are stale."""
    left = run.db.run_transaction(
        partial(read_details_left, settings=run.settings, now=run.began_at)
    )
    run.foresee_details(left.total)
    kind = MovieBatch((), is_known=True, denial_context=run.denial_context)
    if left.lacking:
        _read(run, pool, _ids_without_details(run), left.lacking, kind)
    age = run.settings.stale_after
    if age is not None and left.stale and run.should_continue:
        _read(run, pool, _stale_ids(run, age), left.stale, replace(kind, update=True))


def retry_failed(run: Run, pool: BatchPool, source: OpenSource) -> None:
    """Fetch only the movies that are recorded as failed and due."""

    def read(session: Session) -> tuple[list[str], list[str], int | None]:
        pages, movies = (read_due_failures(session, kind) for kind in ("page", "movie"))
        return pages, movies, read_state(session).movie_count

    keys, movie_keys, count = run.db.run_transaction(read)
    ids = [int(key) for key in movie_keys]
    # Perhaps an update failed; a retry that does not update would hide that.
    pages = [replace(ListPage.of_key(key), update=True, movie_count=count or 0) for key in keys]
    run.change(phase="pages", pages_expected=len(pages), details_expected=len(ids))

    def record_short(report: BatchReport) -> None:
        run.record_failures(
            Failure("page", page.key, "fetch", "ShortPage", page.shortness)
            for page in report.pages
            if page.is_doubtful
        )

    run.run_on_pool(pool, plan_page_batches(pages), record_short)
    if ids and run.should_continue and require_plausible(run, source):
        kind = MovieBatch((), update=True, is_known=True, denial_context=run.denial_context)
        _read(run, pool, iter(ids), len(ids), kind)


def _read(run: Run, pool: BatchPool, ids: Iterator[int], expected: int, kind: MovieBatch) -> None:
    run.expect_details(expected)
    fetch_movies(run, pool, ids, expected, kind)


def fetch_movies(
    run: Run,
    pool: BatchPool,
    ids: Iterable[int],
    expected: int,
    kind: MovieBatch,
    *,
    handle: ReportHandler = ignore_report,
) -> None:
    """Fetch *ids*, about *expected* movies, in batches like *kind*; pass reports to *handle*."""
    settings = run.settings
    sizes = choose_batch_sizes(
        settings.batch_size,
        workers=pool.workers,
        expected=expected,
        rate=settings.rate,
        least=settings.threads * MOVIES_PER_THREAD,
    )
    run.run_on_pool(pool, plan_movie_batches(ids, sizes, kind), handle)


def _without_known(run: Run, ids: Iterator[int]) -> Iterator[int]:
    """Leave out known ids and count them as skipped, so that no worker starts for them."""
    while run.should_continue and (some := list(islice(ids, IDS_PER_LOOK))):
        known = run.db.run_transaction(partial(read_known, ids=some, update=run.settings.update))
        if known:
            step = Step(skipped=len(known), counters={"details_read": len(known)})
            result = save_step(run.db, run.run_id, step)
            run.record(BatchReport(Counts.of(result.outcomes)))
        run.heartbeat()
        yield from (id_ for id_ in some if id_ not in known)


def _ids_without_details(run: Run) -> Iterator[int]:
    below: int | None = None
    while True:
        read = partial(read_ids_without_details, below=below, count=IDS_PER_READ)
        ids = run.db.run_transaction(read)
        if not ids:
            return
        yield from ids
        below = ids[-1]


def _stale_ids(run: Run, age: timedelta) -> Iterator[int]:
    # As of the beginning of the run, so that renewed details are not renewed twice.
    read = partial(read_stale, before=run.began_at - age, count=IDS_PER_READ)
    last: tuple[datetime, int] | None = None
    while stale := run.db.run_transaction(partial(read, after=last)):
        yield from (external_id for _, external_id in stale)
        last = stale[-1]
