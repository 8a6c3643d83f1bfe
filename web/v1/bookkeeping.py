"""`list_runs`, `list_failures`, `read_health`: the state of the mirroring for the API v1."""

from dataclasses import asdict
from datetime import datetime

from database.bookkeeping.failures import TitledFailure, position_of, read_failures
from database.bookkeeping.fetch_lock import is_fetch_running
from database.monitoring.history import PastRun, read_runs, read_session_freshness
from database.stats import read_sync_state
from web.v1.cursors import decode_cursor, decode_place, encode_cursor
from web.v1.models import Failure, Health, Run
from web.v1.parameters import ListQuery, Query, RunQuery
from web.v1.problems import ProblemFound
from web.v1.route import Items, Source, Span


def list_runs(source: Source, _query: ListQuery, span: Span) -> Items:
    """Return fetch runs, the newest first."""
    before = decode_place("run", span.cursor) or None
    runs = read_runs(source.session, span.limit + 1, before=before)
    rows = [_run_json(run) for run in runs[: span.limit]]
    has_more = len(runs) > span.limit
    return Items(rows, encode_cursor("run", [runs[span.limit - 1].run.id]) if has_more else None)


def one_run(source: Source, query: RunQuery) -> str:
    """Return one run."""
    newest = read_runs(source.session, 1)
    if newest and newest[0].run.id == query.run:
        return _run_json(newest[0])
    runs = read_runs(source.session, 1, before=query.run + 1)
    if not runs or runs[0].run.id != query.run:
        raise ProblemFound(404, f"There is no run {query.run}. See all runs with /runs.")
    return _run_json(runs[0])


def list_failures(source: Source, _query: ListQuery, span: Span) -> Items:
    """Return the failures on record, those that are tried again soonest first."""
    now = read_session_freshness(source.session).time
    after = decode_cursor("failure", span.cursor)
    failures = read_failures(source.session, span.limit + 1, after=after)
    rows = [_failure_json(failure, now) for failure in failures[: span.limit]]
    if len(failures) <= span.limit:
        return Items(rows)
    last = position_of(failures[span.limit - 1].failure)
    return Items(rows, encode_cursor("failure", last))


def read_health(source: Source, _query: Query) -> str:
    """Return how current the mirror is, and what works."""
    session = source.session
    freshness, sync = read_session_freshness(session), read_sync_state(session)
    health = Health(
        status="ok",
        time=freshness.time,
        source=None if sync is None else sync.source,
        is_fetch_running=is_fetch_running(session),
        completed_at=freshness.completed_at,
        age_seconds=None if freshness.age is None else freshness.age.total_seconds(),
        searches_by_meaning=source.meaning.open(session) is not None,
    )
    return health.model_dump_json()


def _run_json(past: PastRun) -> str:
    run = Run(**asdict(past.run), state=past.state, seconds=past.seconds)
    return run.model_dump_json()


def _failure_json(titled: TitledFailure, now: datetime) -> str:
    failure = asdict(titled.failure)
    return Failure(
        **failure, title=titled.title, is_due=titled.failure.is_due(now)
    ).model_dump_json()
