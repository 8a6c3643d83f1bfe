"""The second stage of a run: fetch what list pages do not say, one request for each movie."""

from collections.abc import Iterator
from functools import partial
from itertools import chain

from database.ledger import count_due_for_details, read_ids_without_details
from ingest.course import Course
from ingest.plan import HIGHEST_ID, plan_movie_batches
from ingest.pool import BatchPool

#: Ids read from the table at a time, so that memory does not grow with the catalogue.
IDS_PER_READ = 1000


def read_details(course: Course, pool: BatchPool) -> None:
    """Fetch the ids that the run was given, else stored movies without details, newest first."""
    settings = course.settings
    if settings.ids is not None:
        expected = sum(len(ids) for ids in settings.ids)
        wanted: Iterator[int] = chain.from_iterable(settings.ids)
    else:
        expected = course.db.run_step(count_due_for_details)
        wanted = _ids_without_details(course)
    course.change(phase="details", details_expected=expected)
    batches = plan_movie_batches(
        wanted,
        settings.batch_size,
        update=settings.update and settings.ids is not None,
        is_known=settings.ids is None,
    )
    for _ in course.run_on(pool, batches):
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
