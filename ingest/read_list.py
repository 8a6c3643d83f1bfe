"""
The first stage of a run: read list pages and save what they say.

There is one sweep, oldest movies first, and every run goes on with it where the last
one ended, be it in the middle or at the end of the list, where new movies are added.
`--full` and `--update` begin it anew.
"""

from dataclasses import replace
from functools import partial
from time import monotonic

from database.sync import begin_sweep, complete_sweep, is_listed, read_state, remember_progress
from ingest.course import Course
from ingest.find_gone import find_gone
from ingest.plan import PageBatch
from ingest.pool import BatchPool
from ingest.sweep import Sweep, last_page
from ingest.worker import Worker
from yts.answers import MoviePage

#: Known pages that are read once more where a sweep goes on: the order of the list has small
#: exceptions, and removed movies shift the rest towards the front.
PAGES_READ_AGAIN = 2
#: So few pages are read by this process, for starting others would take longer.
FEW_PAGES = 4
#: A run that is killed reads again what was read since the last note.
SECONDS_BETWEEN_NOTES = 1.0


def plan_first_page(course: Course) -> PageBatch:
    """Return the page with which this run begins; it also shows whether the source is YTS."""
    if not course.settings.reads_list:
        return PageBatch(1)
    page = max(1, _next_page(course) - PAGES_READ_AGAIN)
    return PageBatch(page, course.settings.update, is_sweep=True)


def _next_page(course: Course) -> int:
    if course.settings.full or course.settings.update:
        return 1
    return course.db.run_step(lambda session: read_state(session).next_page)


def read_list(
    course: Course, worker: Worker, pool: BatchPool, first: PageBatch, page: MoviePage
) -> bool:
    """Read on from *page*, fetched just now; return whether the list was read to its end."""
    course.change(phase="pages")
    planned, next_page = first, _next_page(course)
    first, page = _go_back_to_known(course, worker, first, page)
    if first != planned:
        next_page = first.page
    if next_page == 1:
        course.write(begin_sweep)
    sweep = Sweep(first.page, next_page, course.settings.max_pages)
    report = worker.save_page(first, page, course.began_at)
    course.take(report)
    sweep.take(report.pages[0])
    _remember(course, sweep)
    course.change(pages_expected=sweep.pages_expected)
    _read_on(course, worker, pool, first, sweep)
    return sweep.is_complete and _complete(course, pool)


def _go_back_to_known(
    course: Course, worker: Worker, first: PageBatch, page: MoviePage
) -> tuple[PageBatch, MoviePage]:
    """
    Return the page to begin with, *first* or one before it, and what it says.

    It begins with a movie that the sweep has seen, or is the first of all. Otherwise so
    many were removed since that some would be left out.
    """
    while first.page > 1 and not _begins_with_known(course, page):
        before = min(first.page - 1, max(1, last_page(page.movie_count)))
        first = replace(first, page=before)
        page = worker.probe(first)
    return first, page


def _begins_with_known(course: Course, page: MoviePage) -> bool:
    if not page.movies:
        return False
    first_id = page.movies[0].id
    return course.db.run_step(lambda session: is_listed(session, first_id))


def _read_on(
    course: Course, worker: Worker, pool: BatchPool, first: PageBatch, sweep: Sweep
) -> None:
    while course.goes_on and (pages := sweep.plan()):
        # Made one by one, so that each knows the newest count.
        batches = (replace(first, page=number, movie_count=sweep.movie_count) for number in pages)
        is_short = len(pages) <= FEW_PAGES
        reports = course.run_here(worker, batches) if is_short else course.run_on(pool, batches)
        remembered_at = 0.0
        for report in reports:
            for told in report.pages:
                sweep.take(told)
            if monotonic() - remembered_at > SECONDS_BETWEEN_NOTES:
                _remember(course, sweep)
                remembered_at = monotonic()
        _remember(course, sweep)


def _remember(course: Course, sweep: Sweep) -> None:
    course.write(
        partial(
            remember_progress,
            next_page=sweep.next_page,
            movie_count=sweep.movie_count,
            recheck_page=sweep.recheck_page,
        )
    )


def _complete(course: Course, pool: BatchPool) -> bool:
    end = course.write(complete_sweep)
    if end == "recheck":
        course.listener.note("Movies were removed meanwhile; the next run reads that part again.")
    if end == "whole":
        find_gone(course, pool)
    return end != "recheck"
