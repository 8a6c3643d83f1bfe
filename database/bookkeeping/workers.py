"""`note_work`, `read_workers`: the current activity of each worker of a fetch; nothing commits."""

from datetime import datetime

from sqlalchemy import bindparam, column, delete, func, select, table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchWorker
from database.bookkeeping.rows import WorkerRow
from database.sql import table_of

_workers = table_of(FetchWorker)
_connections = table("pg_stat_activity", column("application_name"), column("datname"))

_NOTE = (
    insert(_workers)
    .values(name=bindparam("worker"), doing=bindparam("activity"), since=func.now())
    .on_conflict_do_update(
        index_elements=["name"], set_={"doing": bindparam("activity"), "since": func.now()}
    )
    .returning(_workers.c.since)
)
_FORGET = delete(_workers).where(_workers.c.name == bindparam("worker"))
_READ = (
    select(
        _workers.c.name,
        _workers.c.doing,
        func.extract("epoch", func.clock_timestamp() - _workers.c.since),
    )
    .where(
        select(_connections.c.application_name)
        .where(
            _connections.c.application_name == _workers.c.name,
            _connections.c.datname == func.current_database(),
        )
        .exists()
    )
    .order_by(_workers.c.name)
)


def note_work(session: Session, name: str, doing: str) -> datetime:
    """Store the activity that the worker *name* begins; return the time by the database's clock."""
    now: datetime = session.scalars(_NOTE, {"worker": name, "activity": doing}).one()
    return now


def forget_worker(session: Session, name: str) -> None:
    """Delete the row of the idle worker *name*."""
    session.execute(_FORGET, {"worker": name})


def read_workers(session: Session) -> list[WorkerRow]:
    """
    Return the activity of each connected worker, and for how many seconds it has lasted.

    A database user without the right to see the connections of others gets an empty list.
    """
    rows = session.execute(_READ)
    return [WorkerRow(name, doing, round(float(age), 1)) for name, doing, age in rows]
