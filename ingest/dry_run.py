"""`forecast`: what a run would do, estimated from one list page; writes nothing."""

from contextlib import closing
from dataclasses import dataclass
from itertools import chain, islice

from sqlalchemy.orm import Session

from database.bookkeeping.due import read_due_failures, read_known
from database.bookkeeping.rows import SyncStateRow
from database.bookkeeping.source import Source, gives_way_to
from database.db import DatabaseManager
from database.monitoring.status import read_only_session
from database.schema import read_revision, require_schema
from database.stats import read_stats, read_sync_state
from database.writing.movies import read_clock
from ingest.estimates import estimate_new, read_details_left
from ingest.phases.open_source import PROBE_ATTEMPTS, choose_error, read_sweep_start, source_of
from ingest.phases.read_details import IDS_PER_LOOK
from ingest.phases.sweep import SweepStart, last_page
from ingest.settings import RunSettings
from yts.client import YtsClient
from yts.errors import YtsRefused, YtsUnavailable
from yts.responses import MoviePage


@dataclass(frozen=True, slots=True)
class Forecast:
    """Requests that a run would make; the number of new movies is an estimate."""

    #: Base URL that answered.
    api_url: str
    #: Movies in the whole catalogue, as YTS counts.
    movie_count: int
    #: Movies in the mirror now.
    stored: int
    #: Practice movies that would be removed first.
    removed: int
    #: List pages that would be read, and movies that would be new.
    pages: int
    new: int
    #: Details requests, including those for new movies.
    details: int
    #: Requests that the forecast itself has made.
    requests_made: int
    #: Requests that only show whether YTS works: the first page and a movie, if the list is not
    #: read.
    checks: int

    @property
    def requests(self) -> int:
        """Return how many requests the run would make without retries."""
        return self.pages + self.details + self.checks


def forecast(settings: RunSettings, db: DatabaseManager | None) -> Forecast:
    """
    Return what a run with *settings* would do; asks base URLs for one page, until one answers.

    Without *db*, or tables in it, the mirror is empty, and everything would be new. No slot of
    the shared request budget is taken, because that would write.

    Raises:
        SourceMismatch: the database holds the real catalogue, so the run would be refused.
        DatabaseNotReady: the database cannot be read, or its schema is older than the program.
        YtsUnavailable, YtsRefused: no base URL answers like YTS.
    """
    mirror = _empty(settings)
    if db is not None:
        with read_only_session(db) as session:
            if read_revision(session.connection()) is not None:
                require_schema(session)
                mirror = _look(session, settings)
    first = _probe(settings, mirror)
    removed = 0
    if gives_way_to(mirror.source or first.source, first.source):
        removed, mirror = mirror.stored, _empty(settings)
    pages, new = mirror.pages, 0
    if settings.reads_list:
        pages, new = _plan_list(settings, mirror, first.page.movie_count)
    return Forecast(
        api_url=first.api_url,
        movie_count=first.page.movie_count,
        stored=mirror.stored,
        removed=removed,
        pages=pages,
        new=new,
        details=mirror.details + new if settings.details else 0,
        requests_made=first.requests_made,
        checks=0 if settings.reads_list else 1 + bool(mirror.stored and mirror.details),
    )


@dataclass(frozen=True, slots=True)
class _Mirror:
    """The stored movies, and the work that is left according to the tables."""

    stored: int
    source: str | None
    start: SweepStart
    #: Recorded failures that would be tried again.
    pages: int
    #: Details requests that do not depend on the list.
    details: int


def _empty(settings: RunSettings) -> _Mirror:
    return _Mirror(0, None, SweepStart(1), 0, sum(len(part) for part in settings.ids or ()))


def _look(session: Session, settings: RunSettings) -> _Mirror:
    stored = read_stats(session).total_movies
    sync = read_sync_state(session) or SyncStateRow()
    pages = 0
    if settings.retry_failed:
        pages = len(read_due_failures(session, "page"))
        details = len(read_due_failures(session, "movie"))
    elif settings.ids is not None:
        details = _count_unknown(session, settings)
    else:
        details = read_details_left(session, settings, read_clock(session)).total
    return _Mirror(
        stored=stored,
        source=sync.source or ("yts" if stored else None),
        start=read_sweep_start(session, settings, None),
        pages=pages,
        details=details,
    )


def _count_unknown(session: Session, settings: RunSettings) -> int:
    ids, count = chain.from_iterable(settings.ids or ()), 0
    while some := list(islice(ids, IDS_PER_LOOK)):
        count += len(some) - len(read_known(session, some, update=settings.update))
    return count


@dataclass(frozen=True, slots=True)
class _FirstPage:
    """The first page of a base URL, which shows whether it is YTS."""

    api_url: str
    source: Source
    page: MoviePage
    #: Requests to all base URLs that were tried.
    requests_made: int


def _probe(settings: RunSettings, mirror: _Mirror) -> _FirstPage:
    number = _first_page(settings, mirror)
    reasons: list[YtsUnavailable | YtsRefused] = []
    requests_made = 0
    for api_url in settings.api_urls:
        with closing(YtsClient(settings.client_settings(api_url))) as client:
            try:
                page = client.fetch_page(number, "asc", attempts=PROBE_ATTEMPTS)
            except (YtsUnavailable, YtsRefused) as error:
                reasons.append(error)
                requests_made += client.requests_made
                continue
            source = source_of(client.server_name)
            return _FirstPage(api_url, source, page, requests_made + client.requests_made)
    raise choose_error(reasons)


def _first_page(settings: RunSettings, mirror: _Mirror) -> int:
    return mirror.start.first_page if settings.reads_list else 1


def _plan_list(settings: RunSettings, mirror: _Mirror, movie_count: int) -> tuple[int, int]:
    """Return how many list pages would be read, and how many movies would be new."""
    last, new = last_page(movie_count), estimate_new(settings, movie_count, mirror.stored)
    if settings.max_pages is not None:
        last = min(last, mirror.start.next_page + settings.max_pages - 1)
    # The page after the last one confirms the end.
    is_to_the_end = settings.max_pages is None or last == last_page(movie_count)
    return max(1, last - _first_page(settings, mirror) + 1 + is_to_the_end), new
