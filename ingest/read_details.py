"""The second stage of a run: fetch what list pages do not say, one request for each movie."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import chain

from database.ledger import (
    count_due_for_details,
    count_stale,
    read_due_failures,
    read_ids_without_details,
    read_stale_ids,
)
from ingest.course import Course
from ingest.plan import HIGHEST_ID, MovieBatch, parse_page_key, plan_movie_batches
from ingest.pool import BatchPool

#: Ids read from the table at a time, so that memory does not grow with the catalogue.
IDS_PER_READ = 1000


def read_ids(course: Course, pool: BatchPool, ids: tuple[range, ...]) -> None:
    """Fetch the movies that the run was told; stored ones only to update them."""
    kind = MovieBatch((), update=course.settings.update)
    _read(course, pool, chain.from_iterable(ids), sum(len(part) for part in ids), kind)


def read_details(course: Course, pool: BatchPool) -> None:
    """Fetch details of stored movies without any, newest first; then renew those that are stale."""
    with course.db.get_session() as session:
        expected = count_due_for_details(session)
    _read(course, pool, _ids_without_details(course), expected, MovieBatch((), is_known=True))
    age = course.settings.stale_after
    if age is not None and course.goes_on:
        with course.db.get_session() as session:
            stale = count_stale(session, age)
        kind = MovieBatch((), update=True, is_known=True)
        _read(course, pool, _stale_ids(course, age), expected + stale, kind)


def retry_failed(course: Course, pool: BatchPool) -> None:
    """Fetch again what is recorded as failed and whose time has come, and nothing else."""
    with course.db.get_session() as session:
        pages = [parse_page_key(key) for key in read_due_failures(session, "page")]
        ids = [int(key) for key in read_due_failures(session, "movie")]
    course.change(phase="pages", pages_expected=len(pages))
    for _ in course.run_on(pool, pages):
        pass
    if course.goes_on:
        _read(course, pool, iter(ids), len(ids), MovieBatch((), is_known=True))


def _read(
    course: Course, pool: BatchPool, ids: Iterator[int], expected: int, kind: MovieBatch
) -> None:
    course.change(phase="details", details_expected=expected)
    for _ in course.run_on(pool, plan_movie_batches(ids, course.settings.batch_size, kind)):
        pass


def _ids_without_details(course: Course) -> Iterator[int]:
    below = HIGHEST_ID + 1
    while True:
        with course.db.get_session() as session:
            ids = read_ids_without_details(session, below, IDS_PER_READ)
        if not ids:
            return
        yield from ids
        below = ids[-1]


def _stale_ids(course: Course, age: timedelta) -> Iterator[int]:
    # What was renewed is not stale any more; what failed or is missing is not due any more.
    seen: set[int] = set()
    while True:
        with course.db.get_session() as session:
            ids = [id_ for id_ in read_stale_ids(session, age, IDS_PER_READ) if id_ not in seen]
        if not ids:
            return
        yield from ids
        seen = set(ids)
