"""Kept connections: one that the server has closed is replaced, and no question is asked for it."""

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


def test_a_kept_connection_costs_no_statement(db: DatabaseManager):
    """The last statement that the server has received is the end of the session before."""
    last = f"SELECT query FROM pg_stat_activity WHERE pid = {_read_pid(db)}"

    with DatabaseManager(db.url) as other, db.get_session(), other.get_session() as session:
        assert session.connection().exec_driver_sql(last).scalar_one() == "COMMIT"
