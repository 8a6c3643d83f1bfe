"""`read_history` and `read_freshness`: past runs, and when one was complete; read-only."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.bookkeeping.fetch_lock import is_fetch_running
from database.bookkeeping.models import FetchRun
from database.bookkeeping.rows import RUN_COLUMNS, SUCCESSFUL_ENDS, RunRow, RunState
from database.monitoring.status import read_only_session
from database.schema import read_revision
from database.sessions import Database
from database.sql import table_of


@dataclass(frozen=True, slots=True)
class PastRun:
    """A run, its state and how long it took, as of the time when it was read."""

    run: RunRow
    state: RunState
    seconds: float

    @property
    def is_failure(self) -> bool:
        """Return whether the run was killed, or ended with an error or an interruption."""
        return self.state != "running" and self.run.exit_code not in SUCCESSFUL_ENDS


@dataclass(frozen=True, slots=True)
class Freshness:
    """When the mirror was last complete."""

    #: By the clock of the database.
    time: datetime
    #: End of the last complete run, which read the list to its end, and stored or recorded
    #: everything that was due. None if there was no complete run yet.
    completed_at: datetime | None

    @property
    def age(self) -> timedelta | None:
        """Return how old the mirror is; None if it was never complete."""
        return None if self.completed_at is None else self.time - self.completed_at

    def is_within(self, max_age: timedelta) -> bool:
        """Return whether the mirror was complete, and is not older than *max_age*."""
        return self.age is not None and self.age <= max_age


def read_history(db: Database, limit: int | None = None) -> list[PastRun]:
    """
    Return all runs, or the last *limit*, newest first; a database without tables has none.

    Raises:
        DatabaseNotReady: as `read_only_session`.
    """
    with read_only_session(db) as session:
        return [] if read_revision(session.connection()) is None else read_runs(session, limit)


def read_runs(
    session: Session, limit: int | None = None, *, before: int | None = None
) -> list[PastRun]:
    """Return all runs, or the last *limit*, newest first; with *before*, those with lower ids."""
    # The lock is read before and after the rows, as in `database.monitoring.status.read_status`.
    was_running = is_fetch_running(session)
    now = session.scalars(select(func.clock_timestamp())).one()
    id_ = table_of(FetchRun).c.id
    query = select(*RUN_COLUMNS).order_by(id_.desc()).limit(limit)
    if before is not None:
        query = query.where(id_ < before)
    runs = [RunRow(*row) for row in session.execute(query)]
    # Only the last run of all can be running.
    is_running = before is None and (was_running or is_fetch_running(session))
    states = [run.state(is_alive=is_running and run is runs[0]) for run in runs]
    return [
        PastRun(run, state, run.seconds(state, now))
        for run, state in zip(runs, states, strict=True)
    ]


def read_freshness(db: Database) -> Freshness:
    """
    Return when the last complete run ended.

    Raises:
        DatabaseNotReady: as `read_only_session`.
    """
    with read_only_session(db) as session:
        if read_revision(session.connection()) is None:
            return Freshness(session.scalars(select(func.clock_timestamp())).one(), None)
        return read_session_freshness(session)


def read_session_freshness(session: Session) -> Freshness:
    """Return the same as `read_freshness`, in a session of a database with tables."""
    # A run that ends in the future was closed by a clock that was wrong: its age is unknown.
    ended = (
        select(FetchRun.finished_at)
        .where(FetchRun.is_complete, FetchRun.finished_at <= func.clock_timestamp())
        # As there is one fetch at a time, the last one that began was the last one that ended.
        .order_by(FetchRun.id.desc())
        .limit(1)
    )
    time, completed_at = session.execute(
        select(func.clock_timestamp(), ended.scalar_subquery())
    ).one()
    return Freshness(time, completed_at)
