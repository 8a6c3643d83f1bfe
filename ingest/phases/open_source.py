"""`open_source`: the first base URL that answers like YTS and has the whole catalogue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial

from sqlalchemy.orm import Session

from database.bookkeeping.missing import count_present, doubt_other_denials
from database.bookkeeping.rows import SyncStateRow
from database.bookkeeping.source import Source, claim_source, gives_way_to, read_held_source
from database.bookkeeping.sweep_state import is_whole_sweep_due
from database.stats import read_sync_state
from database.writing.movies import read_clock
from ingest.error_limit import believed_loss
from ingest.phases.sweep import SweepStart, convert_page, last_page, plan_sweep
from ingest.plan import PageBatch
from ingest.run import Run
from ingest.settings import RunSettings
from ingest.worker.worker import Worker
from yts.errors import SmallerPages, WrongPage, YtsRefused, YtsUnavailable
from yts.responses import MoviePage
from yts.settings import MOVIES_PER_PAGE, without_secrets

#: Requests to a base URL before the next one is tried.
PROBE_ATTEMPTS = 3
#: Page sizes tried with one base URL, each smaller than the one before.
MOST_SIZES = 3
#: A list that has fewer movies than are stored, by more than this share, is only a part of the
#: catalogue.
LARGEST_SHRINKAGE = 0.2
#: Beginning of the Server header of the practice API.
SANDBOX_SERVER = "yts-sandbox"


class PartialSource(Exception):
    """A base URL answers, but lists far fewer movies than are stored."""


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A worker that uses the base URL of this run, and the first page that it fetched."""

    worker: Worker
    first: PageBatch
    page: MoviePage
    #: When the page was requested, or earlier, by the clock of the database.
    asked_at: datetime
    #: Position where the run begins to read the list.
    start: SweepStart


def read_sweep_start(session: Session, settings: RunSettings, origin: str | None) -> SweepStart:
    """
    Return where a run with *settings* begins to read the list of *origin*; writes nothing.

    If *origin* is None, the base URL is not known yet; that of the previous run is assumed.
    """
    state = read_sync_state(session) or SyncStateRow()
    return plan_sweep(
        settings,
        next_page=state.next_page,
        recheck_page=state.recheck_page,
        is_whole=state.sweep_began_at is not None,
        is_updating=state.is_updating,
        is_whole_due=is_whole_sweep_due(session, origin),
    )


@contextmanager
def open_source(run: Run) -> Iterator[OpenSource]:
    """
    Open a worker on the first base URL that answers, with its first page.

    Raises:
        PartialSource: a base URL answers, but has only a part of the stored movies.
        YtsUnavailable, YtsRefused: no base URL answers like YTS.
    """
    reasons: list[YtsUnavailable | YtsRefused | PartialSource] = []
    for api_url in run.settings.api_urls:
        with Worker(run.settings, api_url, run.run_id, run.stop) as worker:
            if not reasons and (ahead := worker.budget.reset()):
                # Once for each run: requests to earlier base URLs count for its limit.
                run.listener.notice(
                    f"The clock of the database was {ahead:.0f} s ahead: requests begin now."
                )
            run.origin = _guess_origin(run, api_url)
            try:
                source = _probe(run, worker, _plan(run))
                _check_is_whole(run, source)
            except (YtsUnavailable, YtsRefused, PartialSource) as error:
                run.listener.note(f"{without_secrets(api_url)}: {error}")
                reasons.append(error)
                continue
            is_emptied, start = _claim(run, worker, api_url), _plan(run)
            if is_emptied or start != source.start:
                source = _probe(run, worker, start)
            yield source
            return
    raise choose_error(reasons)


def _plan(run: Run) -> SweepStart:
    """Return where the run begins to read the list; page 1 if the run does not read it."""
    if not run.settings.reads_list:
        return SweepStart(1)
    plan = partial(read_sweep_start, settings=run.settings, origin=run.origin)
    return run.db.run_transaction(plan)


def choose_error(
    errors: Sequence[YtsUnavailable | YtsRefused | PartialSource],
) -> YtsUnavailable | YtsRefused | PartialSource:
    """Return the error to report: an outage, which may end by itself, before all others."""
    order = (YtsUnavailable, PartialSource, YtsRefused)
    return min(errors, key=lambda error: [isinstance(error, kind) for kind in order].index(True))


def _probe(run: Run, worker: Worker, start: SweepStart) -> OpenSource:
    """Fetch the first page of this run, in the largest page size that the source gives."""
    asked_at = run.db.run_transaction(read_clock)
    size = MOVIES_PER_PAGE
    for _ in range(MOST_SIZES):
        first = PageBatch(convert_page(start.first_page, MOVIES_PER_PAGE, size), size=size)
        try:
            first, page = _probe_back(worker, first)
        except SmallerPages as error:
            size = error.limit
            continue
        return _adopt_smaller(worker, OpenSource(worker, first, page, asked_at, start))
    raise YtsUnavailable(f"not even pages of {size} rows come as they are asked for")


def _probe_back(worker: Worker, first: PageBatch) -> tuple[PageBatch, MoviePage]:
    """
    Return a readable page and its contents: *first* or, if only that is broken, one before it.

    Page 1 shows whether only *first* is broken. The steps back grow.
    """
    try:
        return first, worker.probe(first, PROBE_ATTEMPTS)
    except (SmallerPages, WrongPage):
        raise
    except (YtsUnavailable, YtsRefused):
        if first.page == 1:
            raise
    at_all = replace(first, page=1)
    beginning, step = worker.probe(at_all, 1), 1
    while first.page - step > 1:
        before = replace(first, page=first.page - step)
        with suppress(YtsUnavailable, YtsRefused):
            return before, worker.probe(before, 1)
        step *= 2
    return at_all, beginning


def _adopt_smaller(worker: Worker, source: OpenSource) -> OpenSource:
    """Return *source* with its real page size, if it sends fewer rows than it claims."""
    first, rows = source.first, source.page.rows
    if not source.page.is_doubtful or not 0 < rows < first.size:
        return source
    smaller = replace(first, size=rows, page=convert_page(first.page, first.size, rows))
    page = worker.probe(smaller, PROBE_ATTEMPTS)
    return replace(source, first=smaller, page=page) if page.rows == rows else source


def _check_is_whole(run: Run, source: OpenSource) -> None:
    """
    Refuse a source that lists far fewer movies than are stored.

    Its count alone proves nothing: the page that should have the last stored movies decides.
    """
    held = run.db.run_transaction(read_held_source)
    if held and gives_way_to(held, source_of(source.worker.client.server_name)):
        return
    present = run.db.run_transaction(count_present)
    least = present - max(believed_loss(present), int(present * LARGEST_SHRINKAGE))
    if source.page.movie_count >= least:
        return
    batch = replace(source.first, page=last_page(least, source.first.size))
    if not source.worker.probe(batch, PROBE_ATTEMPTS).rows:
        raise PartialSource(
            f"it lists {source.page.movie_count:,} movies, and {present:,} are stored: too few "
            "to believe, so nothing was changed. Try again later, or another --api-url. If YTS "
            "really removed these movies, remove their rows"
        )


def source_of(server_name: str) -> Source:
    """Return the kind of movies that a server with this Server header has."""
    return "sandbox" if server_name.startswith(SANDBOX_SERVER) else "yts"


def _guess_origin(run: Run, api_url: str) -> str:
    """Return the value that `Run.origin` will have, before a response identifies the server."""
    held = run.db.run_transaction(read_held_source)
    return held if held == "sandbox" else without_secrets(api_url)


def _claim(run: Run, worker: Worker, api_url: str) -> bool:
    """Read *api_url* from now on; return whether practice movies were removed first."""
    source = source_of(worker.client.server_name)
    is_emptied = run.write_fenced(lambda session: claim_source(session, source))
    if is_emptied:
        run.listener.note("The sandbox's practice movies were removed.")
    run.api_url = without_secrets(api_url)
    run.change(api_url=run.api_url)
    # A sandbox has a different port in each run.
    run.origin = source if source == "sandbox" else run.api_url
    run.write_fenced(partial(doubt_other_denials, origin=run.origin))
    return is_emptied
