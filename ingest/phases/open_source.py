"""`open_source`: the first base URL that answers like YTS and has the whole catalogue."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import partial
from typing import Self

from sqlalchemy.orm import Session

from database.bookkeeping.missing import doubt_other_denials
from database.bookkeeping.source import Source, claim_source, gives_way_to, read_held_source
from database.bookkeeping.sweep_state import is_whole_sweep_due, read_state
from database.counts import count_present
from database.writing.movies import read_clock
from ingest.error_limit import believed_loss
from ingest.phases.sweep import SweepStart, convert_page, last_page, plan_sweep
from ingest.plan import ListPage
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
    first: ListPage
    page: MoviePage
    #: When the page was requested, or earlier, by the clock of the database.
    asked_at: datetime
    #: Position where the run begins to read the list.
    start: SweepStart


@dataclass(frozen=True, slots=True)
class _Stored:
    """What is stored before a base URL is used."""

    #: The source of the stored movies; None if there are none.
    held: str | None
    #: Movies that are not marked gone.
    present: int
    #: Value of `Run.origin`, before a response identifies the server.
    origin: str
    start: SweepStart
    #: When this was read, by the clock of the database.
    read_at: datetime

    @classmethod
    def read(cls, session: Session, settings: RunSettings, api_url: str) -> Self:
        """Read what is stored before *api_url* is used."""
        held = read_held_source(session)
        origin = held if held == "sandbox" else without_secrets(api_url)
        start = read_sweep_start(session, settings, origin)
        return cls(held, count_present(session), origin, start, read_clock(session))


def read_sweep_start(session: Session, settings: RunSettings, origin: str | None) -> SweepStart:
    """
    Return where a run with *settings* begins to read the list of *origin*; writes nothing.

    It is page 1 if the run does not read the list. If *origin* is None, the base URL is not known
    yet; that of the previous run is assumed.
    """
    if not settings.reads_list:
        return SweepStart(1)
    state = read_state(session)
    return plan_sweep(
        settings,
        next_page=state.next_page,
        recheck_page=state.recheck_page,
        is_whole=state.sweep_began_at is not None,
        is_updating=state.is_updating,
        is_whole_due=is_whole_sweep_due(session, state, origin),
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
            read = partial(_Stored.read, settings=run.settings, api_url=api_url)
            stored = run.db.run_transaction(read)
            run.origin = stored.origin
            try:
                source = _probe(worker, stored.start, stored.read_at)
                _check_is_whole(source, stored)
            except (YtsUnavailable, YtsRefused, PartialSource) as error:
                run.listener.note(f"{without_secrets(api_url)}: {error}")
                reasons.append(error)
                continue
            is_emptied, start = _claim(run, worker, api_url)
            if is_emptied or start != source.start:
                source = _probe(worker, start, stored.read_at)
            yield source
            return
    raise choose_error(reasons)


def choose_error(
    errors: Sequence[YtsUnavailable | YtsRefused | PartialSource],
) -> YtsUnavailable | YtsRefused | PartialSource:
    """Return the error to report: an outage, which may end by itself, before all others."""
    order = (YtsUnavailable, PartialSource, YtsRefused)
    return min(errors, key=lambda error: [isinstance(error, kind) for kind in order].index(True))


def _probe(worker: Worker, start: SweepStart, asked_at: datetime) -> OpenSource:
    """Fetch the first page of this run, in the largest page size that the source gives."""
    size = MOVIES_PER_PAGE
    for _ in range(MOST_SIZES):
        first = ListPage(convert_page(start.first_page, MOVIES_PER_PAGE, size), size=size)
        try:
            first, page = _probe_back(worker, first)
        except SmallerPages as error:
            size = error.limit
            continue
        return _adopt_smaller(worker, OpenSource(worker, first, page, asked_at, start))
    raise YtsUnavailable(f"not even pages of {size} rows come as they are asked for")


def _probe_back(worker: Worker, first: ListPage) -> tuple[ListPage, MoviePage]:
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


def _check_is_whole(source: OpenSource, stored: _Stored) -> None:
    """
    Refuse a source that lists far fewer movies than are stored.

    Its count alone proves nothing: the page that should have the last stored movies decides.
    """
    kind = source_of(source.worker.client.server_name)
    if stored.held and gives_way_to(stored.held, kind):
        return
    present = stored.present
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


def _claim(run: Run, worker: Worker, api_url: str) -> tuple[bool, SweepStart]:
    """
    Read *api_url* from now on; return where the run begins to read its list.

    Return also whether practice movies were removed first.
    """
    source = source_of(worker.client.server_name)
    run.api_url = without_secrets(api_url)
    # A sandbox has a different port in each run.
    run.origin = source if source == "sandbox" else run.api_url

    def claim(session: Session) -> tuple[bool, SweepStart]:
        is_emptied = claim_source(session, source)
        doubt_other_denials(session, run.origin)
        return is_emptied, read_sweep_start(session, run.settings, run.origin)

    is_emptied, start = run.write_fenced(claim, api_url=run.api_url)
    if is_emptied:
        run.listener.note("The sandbox's practice movies were removed.")
    return is_emptied, start
