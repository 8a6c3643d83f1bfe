"""The fetch lock: one fetch at a time on a database, and the lock ends with its holder."""

from collections.abc import Callable

import pytest
from sqlalchemy import URL

from database.bookkeeping.fetch_lock import hold_fetch_lock, is_fetch_running
from database.bookkeeping.runs import start_run
from database.db import DatabaseManager
from database.errors import DatabaseAway, FetchLockHeld
from tests.support.databases import run_sql


def _is_running(db: DatabaseManager) -> bool:
    with db.get_session() as session:
        return is_fetch_running(session)


def test_a_second_fetch_is_refused_with_the_holder_of_the_lock(db: DatabaseManager) -> None:
    """It gets the lock as soon as the first is done, although connections are pooled."""
    with hold_fetch_lock(db.engine):
        assert _is_running(db)
        second = hold_fetch_lock(db.engine)
        with pytest.raises(FetchLockHeld, match=r"^process \d+ of this machine since 2"):
            second.__enter__()
        assert _is_running(db)

    assert not _is_running(db)
    with hold_fetch_lock(db.engine), DatabaseManager(db.url) as other:
        assert _is_running(other)


@pytest.mark.parametrize(("began", "is_shown"), [("2101-02-03", True), ("2001-02-03", False)])
def test_since_is_when_its_run_began(db: DatabaseManager, began: str, is_shown: bool) -> None:
    """Neither the time of its connection, which may have waited, nor that of a killed run."""
    with db.get_session() as session:
        start_run(session, "a test")
    run_sql(db.url, f"UPDATE fetch_runs SET started_at = '{began} 04:05:06+00'")

    with hold_fetch_lock(db.engine), pytest.raises(FetchLockHeld) as refusal:
        hold_fetch_lock(db.engine).__enter__()

    assert (f"since {began} 04:05:06 UTC" in str(refusal.value)) == is_shown


def test_other_databases_of_the_server_are_not_concerned(
    db: DatabaseManager, new_database: Callable[[], URL]
) -> None:
    """Two databases of one server can be filled at once."""
    with DatabaseManager(new_database()) as other, hold_fetch_lock(db.engine):
        assert not _is_running(other)
        with hold_fetch_lock(other.engine):
            assert _is_running(other)


def test_a_lost_connection_frees_the_lock_and_hides_no_error(
    db: DatabaseManager, server_url: URL
) -> None:
    """The error inside the block is raised, not the one of the lost connection."""
    sessions = f"WHERE datname = '{db.url.database}'"

    def fetch() -> None:
        with hold_fetch_lock(db.engine):
            run_sql(
                server_url, f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {sessions}"
            )
            raise RuntimeError("the reason")

    with pytest.raises(RuntimeError, match="the reason"):
        fetch()

    assert not _is_running(db)


def test_a_lock_lost_with_its_connection_is_taken_again(
    db: DatabaseManager, server_url: URL
) -> None:
    """Its holder can take it again any number of times, unless another process has taken it."""
    sessions = f"WHERE datname = '{db.url.database}'"
    cut = f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity {sessions}"

    with hold_fetch_lock(db.engine) as reacquire_lock:
        reacquire_lock()
        run_sql(server_url, cut)
        with pytest.raises(DatabaseAway):
            reacquire_lock()
        reacquire_lock()
        reacquire_lock()
        assert _is_running(db)
        run_sql(server_url, cut)
        with DatabaseManager(db.url) as other, hold_fetch_lock(other.engine):
            with pytest.raises(DatabaseAway):
                reacquire_lock()
            with pytest.raises(FetchLockHeld):
                reacquire_lock()
        reacquire_lock()

    assert not _is_running(db)
