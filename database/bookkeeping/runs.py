"""
`start_run`, `change_run`, `close_run`: the row of a run; `fenced`: write only while it is open.

Only an open run may write, and starting a run closes all others. So a fetch that lost its lock
unnoticed cannot save anything after another one has begun. Nothing here commits.
"""

from collections.abc import Mapping
from functools import cache

from sqlalchemy import Integer, bindparam, func, select, text, update
from sqlalchemy.orm import Session
from sqlalchemy.sql.dml import ReturningUpdate

from database.bookkeeping.models import OUTCOMES, FetchRun
from database.bookkeeping.rows import RunRow
from database.connection.kept_plans import run_kept
from database.connection.retry import Result, Work
from database.errors import RunTakenOver
from database.sql import plan_once, table_of

#: Columns that count the work of a run.
_COUNTERS = ("requests", "pages_read", "details_read", "planned", *OUTCOMES)

_runs = table_of(FetchRun)
_START = text(
    "WITH killed AS (UPDATE fetch_runs SET phase = 'killed', finished_at = heartbeat_at "
    "WHERE finished_at IS NULL), idle AS (DELETE FROM fetch_workers) "
    "INSERT INTO fetch_runs (command, phase) VALUES (:command, 'starting') RETURNING id"
)
_OF_RUN = _runs.c.id == bindparam("run_id")
_READ = select(_runs).where(_OF_RUN)
_CHANGE = (
    update(_runs)
    .where(_OF_RUN, _runs.c.finished_at.is_(None))
    .values(heartbeat_at=func.clock_timestamp())
)
_ADD = plan_once(
    _CHANGE.values(
        {name: _runs.c[name] + bindparam(f"more_{name}", type_=Integer) for name in _COUNTERS}
    ).returning(_runs.c.id)
)


def start_run(session: Session, command: str) -> int:
    """
    Open a run and return its id.

    Runs that did not close their row are closed as killed, and their workers are forgotten.
    """
    return int(session.scalars(_START, {"command": command}).one())


def read_run(session: Session, run_id: int) -> RunRow:
    """Return the current row of one run."""
    return RunRow(**session.execute(_READ, {"run_id": run_id}).mappings().one())


def change_run(session: Session, run_id: int, **values: object) -> None:
    """
    Set columns of an open run, and its heartbeat.

    Raises:
        RunTakenOver: another run has begun and closed this one.
    """
    _write(session, _changing(*values), run_id, values)


def close_run(session: Session, run_id: int, exit_code: int, **values: object) -> None:
    """
    Close an open run, and set its columns to *values*; its end is now by the database's clock.

    Raises:
        RunTakenOver: as `change_run`.
    """
    values |= {"phase": "ended", "exit_code": exit_code}
    _write(session, _changing(*values, is_end=True), run_id, values)


@cache
def _changing(*names: str, is_end: bool = False) -> ReturningUpdate[int]:
    """Return the statement that sets these columns, and the time of the end if it *is_end*."""
    values = {name: bindparam(f"new_{name}", type_=_runs.c[name].type) for name in names}
    statement = _CHANGE.values(values) if values else _CHANGE
    if is_end:
        statement = statement.values(finished_at=func.clock_timestamp())
    return statement.returning(_runs.c.id)


def fenced(step: Work[Result], run_id: int, **values: object) -> Work[Result]:
    """
    Return *step* with a check that the run is open; otherwise it raises `RunTakenOver`.

    The check also sets columns of the run to *values*.
    """

    def of_open_run(session: Session) -> Result:
        change_run(session, run_id, **values)
        return step(session)

    return of_open_run


def add_to_run(session: Session, run_id: int, counts: Mapping[str, int]) -> None:
    """
    Add to the counters of an open run; call it last, because all workers share the row.

    Raises:
        RunTakenOver: as `change_run`.
    """
    more = {f"more_{name}": counts.get(name, 0) for name in _COUNTERS}
    if not run_kept(session, _ADD, {"run_id": run_id, **more}):
        raise _taken_over()


def _write(
    session: Session,
    statement: ReturningUpdate[int],
    run_id: int,
    values: Mapping[str, object],
) -> None:
    # SQLAlchemy uses the names of the columns for its own parameters.
    parameters = {f"new_{name}": value for name, value in values.items()}
    if session.scalar(statement, {"run_id": run_id, **parameters}) is None:
        raise _taken_over()


def _taken_over() -> RunTakenOver:
    return RunTakenOver(
        "another fetch has begun on this database since; what was saved before stays"
    )
