"""The second stage of a run: fetch what list pages do not say, one request for each movie."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain, islice

from database.bookkeeping.failures import (
    Failure,
    count_due_for_details,
    count_stale,
    read_due_failures,
    read_ids_without_details,
    read_known,
    read_stale,
)
from database.bookkeeping.sweep import read_state
from database.step import Step, save_step
from ingest.phases.canary import require_plausible
from ingest.phases.open_source import OpenSource
from ingest.plan import (
    MovieBatch,
    PageBatch,
    choose_batch_size,
    plan_movie_batches,
)
from ingest.pool import BatchPool
from ingest.report import BatchReport, Counts
from ingest.run import Course

#: Ids read from the table at a time, so that memory does not grow with the catalogue.
IDS_PER_READ = 1000
#: Ids looked up at a time whether they are known: each look is a step of its own.
IDS_PER_LOOK = 10_000


def read_ids(course: Course, pool: BatchPool, source: OpenSource, ids: tuple[range, ...]) -> None:
    """Fetch the movies that the run was told; stored ones only to update them."""
    kind = MovieBatch((), update=course.settings.update, denial_context=course.denial_context)
    unknown = _without_known(course, chain.from_iterable(ids))
    expected = sum(len(part) for part in ids)
    course.expect_details(expected)
    first = next(unknown, None)
    if first is not None and require_plausible(course, source):
        _fetch(course, pool, chain([first], unknown), expected, kind)


def read_details(course: Course, pool: BatchPool) -> None:
    """Fetch details of stored movies without any, newest first; then renew those that are stale."""
    course.foresee_details()
    expected = course.db.run_step(count_due_for_details)
    lacking = MovieBatch((), is_known=True, denial_context=course.denial_context)
    _read(course, pool, _ids_without_details(course), expected, lacking)
    age = course.settings.stale_after
    if age is not None and course.goes_on:
        stale = course.db.run_step(partial(count_stale, before=course.began_at - age))
        _read(course, pool, _stale_ids(course, age), stale, replace(lacking, update=True))


def retry_failed(course: Course, pool: BatchPool, source: OpenSource) -> None:
    """Fetch again what is recorded as failed and whose time has come, and nothing else."""
    read = course.db.run_step
    count = read(lambda session: read_state(session).movie_count) or 0
    keys = read(partial(read_due_failures, kind="page"))
    ids = [int(key) for key in read(partial(read_due_failures, kind="movie"))]
    # Perhaps an update failed, and a retry that is none would hide it.
    pages = [replace(PageBatch.of_key(key), update=True, movie_count=count) for key in keys]
    course.change(phase="pages", pages_expected=len(pages), details_expected=len(ids))
    for report in course.run_on(pool, pages):
        course.record_failures(
            Failure("page", page.key, "fetch", "ShortPage", page.shortness)
            for page in report.pages
            if page.is_doubtful
        )
    if ids and course.goes_on and require_plausible(course, source):
        kind = MovieBatch((), update=True, is_known=True, denial_context=course.denial_context)
        _read(course, pool, iter(ids), len(ids), kind)


def _read(
    course: Course, pool: BatchPool, ids: Iterator[int], expected: int, kind: MovieBatch
) -> None:
    course.expect_details(expected)
    _fetch(course, pool, ids, expected, kind)


def _fetch(
    course: Course, pool: BatchPool, ids: Iterator[int], expected: int, kind: MovieBatch
) -> None:
    settings = course.settings
    size = choose_batch_size(
        settings.batch_size, workers=pool.workers, expected=expected, rate=settings.rate
    )
    for _ in course.run_on(pool, plan_movie_batches(ids, size, kind)):
        pass


def _without_known(course: Course, ids: Iterator[int]) -> Iterator[int]:
    """Leave out what is known, and count it as skipped, so that no worker starts for it."""
    while course.goes_on and (some := list(islice(ids, IDS_PER_LOOK))):
        known = course.db.run_step(partial(read_known, ids=some, update=course.settings.update))
        if known:
            step = Step(skipped=len(known), counters={"details_read": len(known)})
            result = save_step(course.db, course.run_id, step)
            course.take(BatchReport(Counts.of(result.outcomes)))
        course.tick()
        yield from (id_ for id_ in some if id_ not in known)


def _ids_without_details(course: Course) -> Iterator[int]:
    below: int | None = None
    while True:
        read = partial(read_ids_without_details, below=below, count=IDS_PER_READ)
        ids = course.db.run_step(read)
        if not ids:
            return
        yield from ids
        below = ids[-1]


def _stale_ids(course: Course, age: timedelta) -> Iterator[int]:
    # As of the beginning of the run, so that what is renewed meanwhile does not come again.
    read = partial(read_stale, before=course.began_at - age, count=IDS_PER_READ)
    last: tuple[datetime, int] | None = None
    while stale := course.db.run_step(partial(read, after=last)):
        yield from (external_id for _, external_id in stale)
        last = stale[-1]
