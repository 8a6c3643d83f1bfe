"""`vacuum_overdue_tables`: short runs leave few dead rows, and no table without statistics."""

import time

import pytest
from sqlalchemy import URL, create_engine, text

from cli.display.events import EventStream
from cli.fetch.embedding import embed_after_fetch
from database.bookkeeping.vacuum import vacuum_overdue_tables
from database.db import DatabaseManager
from ingest.exit_codes import ExitCode
from ingest.stop import StopRequest
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.data.movies import fetch_details, save
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.runs import read_sql, set_faults
from tests.support.waiting import soon

RUNS = 5
MOVIES = 120
#: The threshold of autovacuum: 50 rows, and a fifth of the table.
OVERDUE = """
    SELECT relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables
    WHERE n_dead_tup > 50 + 0.2 * n_live_tup + {}"""
UNANALYZED = """
    SELECT relname FROM pg_stat_user_tables
    WHERE n_live_tup > 100 AND last_analyze IS NULL AND last_autoanalyze IS NULL"""


def settle(url: URL) -> None:
    """Wait until the sessions of a command have ended, because they report their rows then."""
    engine = create_engine(url)
    others = text(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
        "AND application_name LIKE 'yts-mirror%'"
    )
    with engine.connect() as connection:
        deadline = time.monotonic() + 30
        while connection.scalar(others) and time.monotonic() < deadline:
            connection.rollback()
            time.sleep(0.02)
    engine.dispose()


def test_short_runs_leave_few_dead_rows_and_all_statistics(
    database_url: URL, db: DatabaseManager
) -> None:
    """
    After several short runs no table has more dead rows than the threshold of autovacuum and those
    of one run; each table of some size has statistics.
    """
    with open_sandbox(SandboxSettings(movies=MOVIES)) as sandbox:
        for _ in range(RUNS):
            call(
                "fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", "--full", "--update",
                url=database_url,
            )  # fmt: skip
            settle(database_url)

    one_run = 2 * MOVIES
    assert read_sql(db, OVERDUE.format(one_run)) == []
    assert read_sql(db, UNANALYZED) == []


def test_a_run_that_fails_vacuums_as_well(
    database_url: URL, db: DatabaseManager, sandbox: Sandbox
) -> None:
    """
    Dead rows of earlier runs are vacuumed, although this run has written nothing.
    """
    run_sql(
        database_url,
        "INSERT INTO genres (name) SELECT n::text FROM generate_series(1, 500) n",
        "DELETE FROM genres WHERE length(name) > 1",
    )
    settle(database_url)
    set_faults(sandbox, _503=1.0)

    done = call("fetch_yts_data.py", "--api-url", f"{sandbox.root}/nowhere", url=database_url)

    assert done.returncode == 2
    assert read_sql(db, "SELECT n_dead_tup FROM pg_stat_user_tables WHERE relname = 'genres'") == [
        0
    ]


def test_a_locked_table_is_left_out(database_url: URL, db: DatabaseManager) -> None:
    """
    Vacuuming does not wait for a lock; the table is vacuumed the next time.
    """
    run_sql(
        database_url,
        "INSERT INTO genres (name) SELECT n::text FROM generate_series(1, 500) n",
        "DELETE FROM genres WHERE length(name) > 1",
    )
    engine = create_engine(database_url)
    with engine.connect() as connection, connection.begin():
        connection.execute(text("LOCK TABLE genres IN SHARE MODE"))
        with soon():
            vacuum_overdue_tables(db.engine)
    assert "genres" in vacuum_overdue_tables(db.engine)
    engine.dispose()


@pytest.mark.parametrize("seconds", [0.0, 60.0])
def test_vacuuming_is_bounded_and_can_be_stopped(
    seconds: float, database_url: URL, db: DatabaseManager
) -> None:
    """
    No table is begun after the time limit, or when the run is asked to stop.
    """
    run_sql(
        database_url,
        "INSERT INTO genres (name) SELECT n::text FROM generate_series(1, 500) n",
    )
    assert vacuum_overdue_tables(db.engine, seconds=seconds, is_stopped=lambda: seconds > 0) == []


def test_tables_have_statistics_before_their_documents_are_read(
    database_url: URL, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them, PostgreSQL would read whole tables for the cast of each movie."""
    with DatabaseManager(database_url) as writer, open_sandbox(SandboxSettings(movies=120)) as api:
        save(writer, *fetch_details(api, range(1, 121)))
    settle(database_url)
    changed = "SELECT relname FROM pg_stat_user_tables WHERE n_mod_since_analyze > 100"
    unanalyzed = [read_sql(db, changed)]

    def embed_all(db: DatabaseManager, **_options: object) -> None:
        unanalyzed.append(read_sql(db, changed))

    monkeypatch.setattr("embeddings.index.embed_all", embed_all)
    assert embed_after_fetch(db, EventStream([]), StopRequest(), workers=1) == ExitCode.DONE

    before, during = unanalyzed
    assert before
    assert during == []
