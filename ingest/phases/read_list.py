"""
`read_list`: read list pages and save their movies, the first phase of a run.

There is one sweep, oldest movies first. Every run continues it where the last one ended: in the
middle of the list, or at its end, where new movies are added. `--full` and `--update` begin a new
sweep, unless one of their kind is under way.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from database.bookkeeping.sweep_state import (
    are_listed,
    begin_reading,
    begin_sweep,
    complete_sweep,
    count_listed,
    get_or_create_sync_state,
    go_back_to_recheck,
    has_unexplained_rows,
    note_recheck,
)
from database.step import Step, save_step
from ingest.phases.open_source import OpenSource
from ingest.phases.reading import Reading
from ingest.phases.sweep import PAGES_READ_AGAIN, Sweep, convert_page, last_page
from ingest.plan import PageBatch
from ingest.pool import BatchPool
from ingest.run import Run
from ingest.worker.fetcher import failure_of
from yts.errors import YtsUnavailable
from yts.settings import MOVIES_PER_PAGE

#: Maximum number of readings of one run: a part in which rows moved is read again.
MOST_READINGS = 4


def read_list(run: Run, pool: BatchPool, source: OpenSource) -> bool:
    """Read the list from the page of *source* on; return whether it was read to its end."""
    details = run.foresee_details(source.page.movie_count)
    run.change(phase="pages", details_expected=details)
    start = source.start
    next_page = convert_page(start.next_page, MOVIES_PER_PAGE, source.first.size)
    planned, source = source.first, _go_back_to_known(run, source)
    if source.first != planned:
        next_page = source.first.page
    if next_page == 1:
        run.write_fenced(partial(begin_sweep, is_updating=start.is_updating, origin=run.origin))
    else:
        run.write_fenced(go_back_to_recheck)
    before: Mapping[int, int | None] = {}
    for _ in range(MOST_READINGS):
        reading = run.write_fenced(begin_reading)
        first = replace(source.first, reading=reading, update=start.is_updating)
        sweep = Sweep(first.page, next_page, run.settings.max_pages, first.size)
        under_way = Reading(run, pool, source, sweep, first)
        under_way.read(source)
        # Rows that are equal in two readings have not moved in between, whatever YTS counts.
        is_settled = bool(before) and sweep.digests.items() <= before.items()
        is_read = _conclude(run, source, sweep, under_way, is_settled=is_settled)
        if is_read is not None:
            return is_read
        before = sweep.digests
        next_page = convert_page(run.write_fenced(go_back_to_recheck), MOVIES_PER_PAGE, first.size)
        run.listener.note(f"Rows of the list have moved: it is read again from page {next_page}.")
        again = replace(first, page=max(1, next_page - PAGES_READ_AGAIN))
        try:
            source = replace(source, first=again, page=source.worker.probe(again))
        except YtsUnavailable as error:
            run.record_failures([failure_of("page", again.key, error)])
            return False
    run.write_fenced(
        partial(note_recheck, page=convert_page(next_page, first.size, MOVIES_PER_PAGE))
    )
    return False


def _conclude(
    run: Run, source: OpenSource, sweep: Sweep, under_way: Reading, *, is_settled: bool
) -> bool | None:
    """Return whether the list was read to its end; None if a part has to be read again."""
    if not sweep.is_complete:
        return False
    if (doubt := _doubt_end(run, source, sweep)) is None:
        _clear_ending(run, sweep, under_way)
        rows = sweep.rows_to_end
        state = run.db.run_transaction(get_or_create_sync_state)
        if run.db.run_transaction(partial(has_unexplained_rows, rows=rows)):
            # Movies were added in the middle of the list, or moved to pages that were read before.
            run.write_fenced(partial(begin_sweep, is_updating=state.is_updating, origin=run.origin))
        elif (
            is_settled
            or run.db.run_transaction(
                lambda session: get_or_create_sync_state(session).recheck_page
            )
            is None
        ):
            run.write_fenced(partial(complete_sweep, origin=run.origin, rows=rows))
            return True
    elif is_settled or sweep.is_end_doubtful:
        under_way.record_short(sweep.ending[:1], doubt)
        return False
    else:  # Perhaps movies were added since the end was read.
        run.write_fenced(partial(note_recheck, page=under_way.to_unit(sweep.ending[0].page)))
    return None


def _go_back_to_known(run: Run, source: OpenSource) -> OpenSource:
    """
    Return *source* with the page to begin with: the same page or an earlier one.

    The sweep has seen the first movie of this page, or it is page 1. Beginning later would leave
    out movies, because removals moved them to earlier pages. The steps back grow.
    """
    step = 1
    while source.first.page > 1 and not _begins_with_known(run, source):
        end = max(1, last_page(source.page.movie_count, source.first.size))
        first = replace(source.first, page=max(1, min(source.first.page - step, end)))
        source, step = replace(source, first=first, page=source.worker.probe(first)), step * 2
    return source


def _begins_with_known(run: Run, source: OpenSource) -> bool:
    if not source.page.movies:
        return False
    first_id = source.page.movies[0].id
    return run.db.run_transaction(lambda session: are_listed(session, [first_id]))


def _doubt_end(run: Run, source: OpenSource, sweep: Sweep) -> str | None:
    """
    Return why the list does not end where the sweep ended; None if it does.

    If YTS counts another number of movies, request the newest movies of the list. The sweep has
    seen them, unless pages lacked rows or had the rows of other pages.
    """
    is_counted = sweep.rows_to_end == sweep.movie_count == run.db.run_transaction(count_listed)
    if is_counted and not sweep.is_end_doubtful:
        return None
    try:
        newest = source.worker.probe(PageBatch(1, size=sweep.size, order="desc")).ids
    except YtsUnavailable as error:
        return str(error)
    is_seen: bool = run.db.run_transaction(partial(are_listed, external_ids=newest))
    return None if newest and is_seen else "the newest movies of the list are not among them"


def _clear_ending(run: Run, sweep: Sweep, under_way: Reading) -> None:
    """Clear the failures of the last pages: they are the end, though YTS counts more movies."""
    if sweep.is_end_doubtful:
        keys = tuple(page.key for page in sweep.ending)
        save_step(run.db, run.run_id, Step(pages_read=keys))
