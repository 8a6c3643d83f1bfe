"""
The first stage of a run: read list pages and save what they say.

Until a sweep was complete once, pages are read oldest first, on the pool, and a
later run goes on where this one ends. From then on they are read newest first,
one by one, until two in a row hold nothing new.
"""

from dataclasses import replace
from functools import partial
from time import monotonic

from database.sync import begin_sweep, complete_sweep, read_state, remember_progress
from ingest.course import Course
from ingest.find_gone import find_gone
from ingest.plan import PageBatch
from ingest.pool import BatchPool
from ingest.report import PageReport
from ingest.sweep import OldestFirst, is_caught_up, is_end, last_page
from ingest.worker import Worker
from yts.answers import MoviePage

#: A run that is killed reads again what was read since the last note.
SECONDS_BETWEEN_NOTES = 1.0


def plan_first_page(course: Course) -> PageBatch:
    """Return the page with which this run begins; it also shows whether the source is YTS."""
    settings = course.settings
    if not settings.reads_list:
        return PageBatch(1, "desc")
    state = course.db.run_step(read_state)
    if settings.full or settings.update or state.was_short:
        return PageBatch(1, "asc", settings.update, is_sweep=True)
    if state.watermark_movie_id is not None:
        return PageBatch(1, "desc")
    # The page before is read again: removed movies shift the rest towards the front.
    return PageBatch(max(1, state.next_page - 1), "asc", is_sweep=True)


def read_list(
    course: Course, worker: Worker, pool: BatchPool, first: PageBatch, page: MoviePage
) -> bool:
    """Save *page*, fetched just now, and read on from it; return whether nothing is lacking."""
    course.change(phase="pages")
    if first.is_sweep and first.page == 1:
        course.db.run_step(begin_sweep)
    report = worker.save_page(first, page, course.began_at)
    course.take(report)
    if first.order == "asc":
        return _read_oldest_first(course, pool, first, report.pages[0])
    return _read_newest_first(course, worker, report.pages[0])


def _read_oldest_first(
    course: Course, pool: BatchPool, first: PageBatch, first_report: PageReport
) -> bool:
    limit = course.settings.max_pages
    if limit is not None and first.page > 1:
        limit += 1  # for the page that is read again
    sweep = OldestFirst(first.page, limit)
    sweep.take(first_report)
    to_end = last_page(first_report.movie_count) - first.page + 1
    course.change(pages_expected=max(1, min(to_end, limit or to_end)))
    while course.goes_on and (pages := sweep.plan()):
        batches = (replace(first, page=number) for number in pages)
        remembered_at = 0.0
        for report in course.run_on(pool, batches):
            for told in report.pages:
                sweep.take(told)
            if monotonic() - remembered_at > SECONDS_BETWEEN_NOTES:
                _remember(course, sweep)
                remembered_at = monotonic()
        _remember(course, sweep)
    if not sweep.is_complete:
        return False
    is_believed = course.db.run_step(partial(complete_sweep, expected=sweep.movies_expected))
    if is_believed:
        find_gone(course, pool)
    else:
        course.listener.note("Movies were removed meanwhile; the next run reads the list again.")
    return is_believed


def _remember(course: Course, sweep: OldestFirst) -> None:
    course.db.run_step(
        partial(remember_progress, next_page=sweep.next_page, movie_count=sweep.movie_count or 0)
    )


def _read_newest_first(course: Course, worker: Worker, first_report: PageReport) -> bool:
    """Few pages are expected and each decides on the next: no work for a pool."""
    watermark = course.db.run_step(read_state).watermark_movie_id or 0
    pages = [first_report]
    while not (is_end(pages[-1]) or is_caught_up(pages, watermark)):
        number = pages[-1].page + 1
        if not course.goes_on or number > (course.settings.max_pages or number):
            return False
        course.change(pages_expected=number)
        course.tick()
        report = worker.run_batch(PageBatch(number, "desc"))
        course.take(report)
        if not report.pages:
            return False
        pages += report.pages
    course.db.run_step(complete_sweep)
    return True
