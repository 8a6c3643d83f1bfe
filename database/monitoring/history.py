"""The runs of the past, and how long ago the mirror was complete; reading changes nothing."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from database.bookkeeping.fetch_lock import is_fetch_running
from database.bookkeeping.models import FetchRun
from database.db import DatabaseManager
from database.monitoring.status import read_only_session
from database.schema import read_revision


@dataclass(frozen=True, slots=True)
class Freshness:
    """How long ago the mirror was as YTS is."""

    #: By the clock of the database.
    time: datetime
    #: When the last complete run ended: one that read the list to its end, and stored or recorded
    #: all that was due. None: there was none yet.
    completed_at: datetime | None

    @property
    def age(self) -> timedelta | None:
        """Return how old the mirror is; None: it was never complete."""
        return None if self.completed_at is None else self.time - self.completed_at


def read_history(db: DatabaseManager, limit: int | None = None) -> list[dict[str, Any]]:
    """
    Return all runs, or the last *limit*, see `read_runs`; a database without tables has none.

    Raises:
        DatabaseNotReady: as `read_only_session`.
    """
    with read_only_session(db) as session:
        return [] if read_revision(session.connection()) is None else read_runs(session, limit)


def read_runs(session: Session, limit: int | None = None) -> list[dict[str, Any]]:
    """
    Return the rows of all runs, or of the last *limit*, the last first, JSON-ready.

    `state` is running, ended or killed; `seconds` how long it took, until now or its last
    sign of life where it has no end.
    """
    # Looked at before the rows: whoever runs then is not taken for killed.
    is_running = is_fetch_running(session)
    now = session.scalars(select(func.clock_timestamp())).one()
    runs = session.scalars(select(FetchRun).order_by(FetchRun.id.desc()).limit(limit)).all()
    return [
        _history_row(run, now, is_running=is_running and place == 0)
        for place, run in enumerate(runs)
    ]


def _history_row(run: FetchRun, now: datetime, *, is_running: bool) -> dict[str, Any]:
    if run.finished_at is not None:
        state, end = "killed" if run.phase == "killed" else "ended", run.finished_at
    elif is_running:
        state, end = "running", now
    else:
        state, end = "killed", run.heartbeat_at
    seconds = max(0.0, (end - run.started_at).total_seconds())
    return {**run.to_dict(), "state": state, "seconds": seconds}


def read_freshness(db: DatabaseManager) -> Freshness:
    """
    Return when the last complete run ended.

    Raises:
        DatabaseNotReady: as `read_only_session`.
    """
    with read_only_session(db) as session:
        has_tables = read_revision(session.connection()) is not None
        # A run that ends in the future was closed by a clock that was wrong: its age is unknown.
        ended = select(func.max(FetchRun.finished_at)).where(
            FetchRun.is_complete, FetchRun.finished_at <= func.clock_timestamp()
        )
        return Freshness(
            time=session.scalars(select(func.clock_timestamp())).one(),
            completed_at=session.scalar(ended) if has_tables else None,
        )
