"""Two fetches never write to one database, and a killed one does not block the next."""

import threading
import time
from contextlib import ExitStack

import pytest
from sqlalchemy import text

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.bookkeeping.runs import start_run
from database.db import DatabaseManager
from database.errors import FetchLockHeld, RunTakenOver
from database.step import Step, save_step
from sandbox.api.sandbox_server import Sandbox
from tests.support.runs import fetch, read_sql
from tests.support.waiting import soon
from yts.payload import parse_movie


def test_a_second_fetch_can_wait_for_the_first(db: DatabaseManager, sandbox: Sandbox):
    """A run that waits for the lock begins when the other run has ended."""
    with ExitStack() as first:
        first.enter_context(hold_fetch_lock(db.engine))
        threading.Timer(0.7, first.close).start()
        began = time.monotonic()
        with soon():
            report = fetch(db, sandbox.url, details=False, wait_lock_seconds=60)

    assert report.exit_code == 0
    assert time.monotonic() - began > 0.5


def test_a_wait_for_the_lock_has_a_limit(db: DatabaseManager, sandbox: Sandbox):
    """After its waiting time the run ends and reports since when the lock is held."""
    with hold_fetch_lock(db.engine), pytest.raises(FetchLockHeld, match="since"):
        fetch(db, sandbox.url, wait_lock_seconds=0.6)


def test_a_run_that_was_taken_over_cannot_save(db: DatabaseManager):
    """Starting a run closes all others, and a closed run cannot save even before it notices."""
    with db.get_session() as session:
        old = start_run(session, "old")
    with db.get_session() as session:
        start_run(session, "new")

    with pytest.raises(RunTakenOver):
        save_step(db, old, Step((parse_movie({"id": 1, "title": "Late"}),)))

    assert db.get_stats()["total_movies"] == 0


def test_a_killed_run_is_closed_by_the_next(db: DatabaseManager, sandbox: Sandbox):
    """Its row has the phase killed and the time of its last heartbeat as its end."""
    with db.get_session() as session:
        killed = start_run(session, "killed")
    save_step(db, killed, Step((parse_movie({"id": 1, "title": "Saved"}),)))
    _as_practice(db)

    fetch(db, sandbox.url, details=False)

    assert read_sql(
        db, "SELECT phase, finished_at = heartbeat_at, exit_code FROM fetch_runs WHERE id = 1"
    ) == [("killed", True, None)]
    assert read_sql(db, "SELECT count(*) FROM fetch_runs WHERE finished_at IS NULL") == [0]


def _as_practice(db: DatabaseManager) -> None:
    with db.get_session() as session:
        session.execute(text("INSERT INTO sync_state (source) VALUES ('sandbox')"))
