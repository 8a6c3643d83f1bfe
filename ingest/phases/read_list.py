"""
`read_list`: read list pages and save their movies, the first phase of a run.

There is one sweep, oldest movies first. Every run continues it where the last one ended: in the
middle of the list, or at its end, where new movies are added. `--full` and `--update` begin a new
sweep, unless one of their kind is under way.
"""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial

from sqlalchemy.orm import Session

from database.bookkeeping.listed_movies import are_listed, count_listed
from database.bookkeeping.runs import change_run
from database.bookkeeping.sweep_state import (
    begin_reading,
    begin_sweep,
    complete_sweep,
    go_back_to_recheck,
    note_recheck,
    read_state,
)
from database.step import Step, save_step
from ingest.estimates import estimate_details
from ingest.phases.open_source import OpenSource
from ingest.phases.reading import Reading
from ingest.phases.sweep import PAGES_READ_AGAIN, Sweep, convert_page, last_page
from ingest.plan import ListPage
from ingest.pool import BatchPool
from ingest.run import Run
from ingest.worker.fetcher import failure_of
from yts.errors import YtsUnavailable
from yts.settings import MOVIES_PER_PAGE

#: Maximum number of readings of one run: a part in which rows moved is read again.
MOST_READINGS = 4


def read_list(run: Run, pool: BatchPool, source: OpenSource) -> bool:
    """Read the list from the page of *source* on; return whether it was read to its end."""
    start = source.start
    next_page = convert_page(start.next_page, MOVIES_PER_PAGE, source.first.size)
    planned, source = source.first, _go_back_to_known(run, source)
    if source.first != planned:
        next_page = source.first.page
    reading = _begin(run, source, is_whole=next_page == 1)
    before: Mapping[int, int | None] = {}
    for _ in range(MOST_READINGS):
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
        recheck_page, reading = run.write_fenced(_begin_again)
        next_page = convert_page(recheck_page, MOVIES_PER_PAGE, first.size)
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


def _begin(run: Run, source: OpenSource, *, is_whole: bool) -> int:
    """Begin to read the list, and return the number of the reading."""

    def begin(session: Session) -> int:
        run.foresee_details(
            estimate_details(session, run.settings, run.began_at, source.page.movie_count)
        )
        change_run(session, run.run_id, phase="pages", details_expected=run.details_foreseen)
        if is_whole:
            begin_sweep(session, is_updating=source.start.is_updating, origin=run.origin)
        else:
            go_back_to_recheck(session)
        return begin_reading(session)

    return run.db.run_transaction(begin)


def _begin_again(session: Session) -> tuple[int, int]:
    """Go back to where rows have moved; return that page, and the number of the new reading."""
    return go_back_to_recheck(session), begin_reading(session)


def _conclude(
    run: Run, source: OpenSource, sweep: Sweep, under_way: Reading, *, is_settled: bool
) -> bool | None:
    """Return whether the list was read to its end; None if a part has to be read again."""
    if not sweep.is_complete:
        return False
    listed, state = run.db.run_transaction(
        lambda session: (count_listed(session), read_state(session))
    )
    if (doubt := _doubt_end(run, source, sweep, listed)) is None:
        _clear_ending(run, sweep, under_way)
        rows = sweep.rows_to_end
        if state.surplus_rows is not None and rows - listed > state.surplus_rows:
            # Movies were added in the middle of the list, or moved to pages that were read before.
            run.write_fenced(partial(begin_sweep, is_updating=state.is_updating, origin=run.origin))
        elif is_settled or state.recheck_page is None:
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


def _doubt_end(run: Run, source: OpenSource, sweep: Sweep, listed: int) -> str | None:
    """
    Return why the list does not end where the sweep ended; None if it does.

    The sweep has seen *listed* movies. If YTS counts another number, request the newest movies of
    the list. The sweep has seen them, unless pages lacked rows or had the rows of other pages.
    """
    is_counted = sweep.rows_to_end == sweep.movie_count == listed
    if is_counted and not sweep.is_end_doubtful:
        return None
    try:
        newest = source.worker.probe(ListPage(1, size=sweep.size, order="desc")).ids
    except YtsUnavailable as error:
        return str(error)
    is_seen: bool = run.db.run_transaction(partial(are_listed, external_ids=newest))
    return None if newest and is_seen else "the newest movies of the list are not among them"


def _clear_ending(run: Run, sweep: Sweep, under_way: Reading) -> None:
    """Clear the failures of the last pages: they are the end, though YTS counts more movies."""
    if sweep.is_end_doubtful:
        keys = tuple(page.key for page in sweep.ending)
        save_step(run.db, run.run_id, Step(pages_read=keys))
