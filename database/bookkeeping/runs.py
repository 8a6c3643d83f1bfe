"""
`start_run`, `change_run`, `close_run`: the row of a run; `fenced`: write only while it is open.

Only an open run may write, and starting a run closes all others. So a fetch that lost its lock
unnoticed cannot save anything after another one has begun. Nothing here commits.
"""

from collections.abc import Mapping

from sqlalchemy import func, update
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchRun
from database.bookkeeping.workers import forget_workers
from database.connection.retry import Result, Work


class RunTakenOver(Exception):
    """Another fetch has begun since, so this one must not save anything more."""


def start_run(session: Session, command: str) -> int:
    """Open a run and return its id; runs that did not close their row are closed as killed."""
    session.execute(
        update(FetchRun)
        .where(FetchRun.finished_at.is_(None))
        .values(phase="killed", finished_at=FetchRun.heartbeat_at)
    )
    forget_workers(session)
    run = FetchRun(command=command, phase="starting")
    session.add(run)
    session.flush()
    return run.id


def change_run(session: Session, run_id: int, **values: object) -> None:
    """
    Set columns of an open run, and its heartbeat.

    Raises:
        RunTakenOver: another run has begun and closed this one.
    """
    changed = session.scalar(
        update(FetchRun)
        .where(FetchRun.id == run_id, FetchRun.finished_at.is_(None))
        .values(heartbeat_at=func.clock_timestamp(), **values)
        .returning(FetchRun.id)
    )
    if changed is None:
        raise RunTakenOver(
            "another fetch has begun on this database since; what was saved before stays"
        )


def close_run(session: Session, run_id: int, exit_code: int, **values: object) -> None:
    """
    Close an open run, and set its columns to *values*; its end is now by the database's clock.

    Raises:
        RunTakenOver: as `change_run`.
    """
    change_run(
        session,
        run_id,
        phase="ended",
        exit_code=exit_code,
        **values,
        finished_at=func.clock_timestamp(),
    )


def fenced(step: Work[Result], run_id: int) -> Work[Result]:
    """Return *step* with a check that the run is open; otherwise it raises `RunTakenOver`."""

    def of_open_run(session: Session) -> Result:
        change_run(session, run_id)
        return step(session)

    return of_open_run


def add_to_run(session: Session, run_id: int, counts: Mapping[str, int]) -> None:
    """
    Add to the counters of an open run; call it last, because all workers share the row.

    Raises:
        RunTakenOver: as `change_run`.
    """
    columns = FetchRun.__table__.c
    change_run(session, run_id, **{name: columns[name] + n for name, n in counts.items() if n})
