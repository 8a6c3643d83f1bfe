"""Kept connections: one that the server has closed is replaced, and no question is asked for it."""

from psycopg2.extensions import connection as DriverConnection  # noqa: N812 (it is a class)
from sqlalchemy import event, text

from database.db import DatabaseManager
from tests.support.databases import run_sql

PID = "SELECT pg_backend_pid()"


def _read_pid(db: DatabaseManager) -> int:
    with db.get_session() as session:
        return int(session.connection().exec_driver_sql(PID).scalar_one())


def test_a_connection_that_the_server_has_closed_is_replaced(db: DatabaseManager):
    """A session after a restart of the server works, without another attempt."""
    first = _read_pid(db)
    assert _read_pid(db) == first

    run_sql(db.url, f"SELECT pg_terminate_backend({first}, 10000)")

    assert _read_pid(db) != first


def test_connections_that_are_cut_while_they_open_are_replaced(db: DatabaseManager):
    """The server may go away again at once, however often; the transaction is repeated."""
    cut: list[int] = []

    @event.listens_for(db.engine, "connect")
    def cut_connection(connection: DriverConnection, _entry: object) -> None:
        if len(cut) < 4:
            cut.append(connection.info.backend_pid)
            run_sql(db.url, f"SELECT pg_terminate_backend({cut[-1]}, 10000)")

    pid = db.run_transaction(lambda session: session.scalar(text(PID)))

    assert len(cut) == 4
    assert pid not in cut


def test_a_kept_connection_costs_no_statement(db: DatabaseManager):
    """The last statement that the server has received is the end of the session before."""
    last = f"SELECT query FROM pg_stat_activity WHERE pid = {_read_pid(db)}"

    with DatabaseManager(db.url) as other, db.get_session(), other.get_session() as session:
        assert session.connection().exec_driver_sql(last).scalar_one() == "COMMIT"
