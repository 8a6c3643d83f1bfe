"""`--max-errors` and `--max-duration` end a fetch with their exit codes."""

from collections.abc import Callable
from threading import Thread

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.runs import MOVIES, counted, fetch, read_sql
from tests.support.waiting import wait_until

FETCH = ("fetch_yts_data.py", "--workers", "1", "--batch-size", "5")
NO_DETAILS = "ALTER TABLE movies ADD CONSTRAINT no CHECK (details_fetched_at IS NULL)"


@pytest.mark.parametrize(("limit", "most"), [("7", 7), ("5%", 0.05 * MOVIES / 0.95)])
def test_too_many_errors_are_exit_3(
    limit: str, most: float, database_url: URL, sandbox: Sandbox
) -> None:
    """
    A number limits the failures, a percentage their share of all handled pages and movies. Batches
    under way are finished.
    """
    run_sql(database_url, NO_DETAILS)

    source = ("--api-url", sandbox.url, "--rate", "0")
    done = call(*FETCH, *source, "--max-errors", limit, url=database_url)

    assert done.returncode == 3, done.stderr
    assert "more than --max-errors allows" in done.stdout
    with DatabaseManager(database_url) as db:
        (failed,) = read_sql(db, "SELECT failed FROM fetch_runs")
    assert most < failed <= most + 1 + 4 * 5


def test_renewal_that_time_ends_is_exit_7(
    database_url: URL, db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Details that were renewed in time are saved; the others stay stale for the next run.
    """
    fetch(db, sandbox.url, details=False)
    run_sql(database_url, "UPDATE movies SET details_fetched_at = now() - interval '40 days'")
    pages = 3
    enough = counted(sandbox)["requests"] + pages + 20

    def timer(_seconds: float, end: Callable[..., None], arguments: list[object]) -> Thread:
        def end_in_time() -> None:
            wait_until(lambda: counted(sandbox)["requests"] >= enough, "details")
            end(*arguments)

        return Thread(target=end_in_time)

    # The time is over after some details, however fast this machine is.
    monkeypatch.setattr("ingest.stop.threading.Timer", timer)
    source = ("--api-url", sandbox.url, "--rate", "50")
    limits = ("--stale-after", "30d", "--max-duration", "1h")
    done = call(*FETCH, *source, *limits, url=database_url)

    assert done.returncode == 7, done.stderr
    assert "--max-duration is over" in done.stdout
    renewed = "SELECT count(*) FROM movies WHERE details_fetched_at > now() - interval '1 day'"
    assert 0 < read_sql(db, renewed)[0] < MOVIES / 2
