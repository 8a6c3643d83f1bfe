"""The second stage of a run: fetch what list pages do not say, one request for each movie."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from itertools import chain

from database.ledger import (
    count_due_for_details,
    count_stale,
    read_due_failures,
    read_ids_without_details,
    read_stale,
)
from ingest.course import Course
from ingest.plan import (
    HIGHEST_ID,
    MovieBatch,
    choose_batch_size,
    parse_page_key,
    plan_movie_batches,
)
from ingest.pool import BatchPool

#: Ids read from the table at a time, so that memory does not grow with the catalogue.
IDS_PER_READ = 1000


def read_ids(course: Course, pool: BatchPool, ids: tuple[range, ...]) -> None:
    """Fetch the movies that the run was told; stored ones only to update them."""
    kind = MovieBatch((), update=course.settings.update)
    _read(course, pool, chain.from_iterable(ids), sum(len(part) for part in ids), kind)


def read_details(course: Course, pool: BatchPool) -> None:
    """Fetch details of stored movies without any, newest first; then renew those that are stale."""
    expected = course.db.run_step(count_due_for_details)
    _read(course, pool, _ids_without_details(course), expected, MovieBatch((), is_known=True))
    age = course.settings.stale_after
    if age is not None and course.goes_on:
        stale = course.db.run_step(partial(count_stale, before=course.began_at - age))
        kind = MovieBatch((), update=True, is_known=True)
        _read(course, pool, _stale_ids(course, age), expected + stale, kind)


def retry_failed(course: Course, pool: BatchPool) -> None:
    """
    Fetch again what is recorded as failed and whose time has come, and nothing else.

    The ledger does not say whether it failed in an update, so what changed is written.
    """
    pages, ids = course.db.run_step(
        lambda session: (
            [
                replace(parse_page_key(key), update=True)
                for key in read_due_failures(session, "page")
            ],
            [int(key) for key in read_due_failures(session, "movie")],
        )
    )
    course.change(phase="pages", pages_expected=len(pages))
    for _ in course.run_on(pool, pages):
        pass
    if course.goes_on:
        _read(course, pool, iter(ids), len(ids), MovieBatch((), update=True, is_known=True))


def _read(
    course: Course, pool: BatchPool, ids: Iterator[int], expected: int, kind: MovieBatch
) -> None:
    course.change(phase="details", details_expected=expected)
    settings = course.settings
    size = choose_batch_size(
        settings.batch_size, workers=settings.workers, expected=expected, rate=settings.rate
    )
    for _ in course.run_on(pool, plan_movie_batches(ids, size, kind)):
        pass


def _ids_without_details(course: Course) -> Iterator[int]:
    below = HIGHEST_ID + 1
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
