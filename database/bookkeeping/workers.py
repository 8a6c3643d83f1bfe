"""`note_work`, `read_workers`: the current activity of each worker of a fetch; nothing commits."""

from datetime import datetime

from sqlalchemy import column, delete, func, select, table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchWorker
from database.bookkeeping.rows import WorkerRow

_connections = table("pg_stat_activity", column("application_name"), column("datname"))


def note_work(session: Session, name: str, doing: str) -> datetime:
    """Store the activity that the worker *name* begins; return the time by the database's clock."""
    values = {"doing": doing, "since": func.now()}
    statement = (
        insert(FetchWorker)
        .values(name=name, **values)
        .on_conflict_do_update(index_elements=["name"], set_=values)
        .returning(FetchWorker.since)
    )
    return session.scalars(statement).one()


def forget_workers(session: Session, name: str | None = None) -> None:
    """Delete the idle worker *name*; with None, all workers of earlier runs."""
    statement = delete(FetchWorker)
    session.execute(statement if name is None else statement.where(FetchWorker.name == name))


def read_workers(session: Session) -> list[WorkerRow]:
    """
    Return the activity of each connected worker, and for how many seconds it has lasted.

    A database user without the right to see the connections of others gets an empty list.
    """
    is_connected = (
        select(_connections.c.application_name)
        .where(
            _connections.c.application_name == FetchWorker.name,
            _connections.c.datname == func.current_database(),
        )
        .exists()
    )
    seconds = func.extract("epoch", func.clock_timestamp() - FetchWorker.since)
    rows = session.execute(
        select(FetchWorker.name, FetchWorker.doing, seconds)
        .where(is_connected)
        .order_by(FetchWorker.name)
    )
    return [WorkerRow(name, doing, round(float(age), 1)) for name, doing, age in rows]
