"""Limits of a run on requests, time and errors; and the exit code if work is left."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from database.db import DatabaseManager
from ingest.error_limit import FEWEST_FOR_A_SHARE, ErrorLimit, parse_error_limit
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import FEW_MOVIES, ROWS, counted, fetch, read_sql
from tests.support.waiting import SOON_SECONDS


@pytest.mark.parametrize("workers", [1, 3])
def test_a_run_never_makes_more_requests_than_it_may(
    db: DatabaseManager, short_sandbox: Sandbox, workers: int
):
    """The limit is exact over all processes and threads; movies not tried have not failed."""
    report = fetch(db, short_sandbox.url, max_requests=25, workers=workers)

    assert counted(short_sandbox)["requests"] == report.requests == 25
    assert report.exit_code == 7
    assert report.counts.failed == 0
    assert db.get_stats()["movies_with_details"] == 25 - FEW_MOVIES / ROWS - 1


def test_runs_of_few_requests_finish_the_work_together(db: DatabaseManager, short_sandbox: Sandbox):
    """Each run continues where the one before had to end."""
    codes = [fetch(db, short_sandbox.url, max_requests=15).exit_code for _ in range(4)]

    assert codes == [7, 7, 7, 0]
    assert db.get_stats()["movies_with_details"] == FEW_MOVIES


def test_time_is_limited_too(db: DatabaseManager):
    """A run whose time is over ends in order, within seconds, and reports that work is left."""
    with open_sandbox(SandboxSettings(movies=200, latency_seconds=0.5)) as slow:
        report = fetch(db, slow.url, max_seconds=1.0, threads=2)

    assert report.exit_code == 7
    assert report.seconds < SOON_SECONDS
    assert db.get_stats()["movies_with_details"] < 200


def test_too_many_errors_end_a_run_early(db: DatabaseManager, short_sandbox: Sandbox):
    """A run with more failures than allowed ends early."""
    run_sql(db.url, "ALTER TABLE movies ADD CONSTRAINT no CHECK (details_fetched_at IS NULL)")

    report = fetch(db, short_sandbox.url, max_errors=ErrorLimit(number=8), batch_size=4)

    assert report.exit_code == 3
    assert "--max-errors" in str(report.ended_early)
    assert 8 < report.counts.failed < 30


@given(st.integers(0, 500), st.integers(0, 500), st.integers(0, 100))
def test_an_error_limit_is_passed_only_above_it(failed: int, more: int, percent: int):
    """A number limits failures; a share limits them in relation to all, once there are enough."""
    handled = failed + more

    assert parse_error_limit(str(percent)).is_passed(failed, handled) == (failed > percent)
    assert parse_error_limit(f"{percent}%").is_passed(failed, handled) == (
        handled >= FEWEST_FOR_A_SHARE and failed * 100 > percent * handled
    )


@pytest.mark.parametrize("nonsense", ["", "x", "-1", "101%", "5%%", "1.5"])
def test_an_invalid_error_limit_is_refused(nonsense: str):
    """Anything that is neither a number nor a percentage is refused."""
    with pytest.raises(ValueError, match=r"number|more than all"):
        parse_error_limit(nonsense)


def test_stale_details_are_renewed_oldest_first(db: DatabaseManager, short_sandbox: Sandbox):
    """Only details older than the given age are requested again, the oldest first."""
    fetch_first(db, short_sandbox)
    with db.get_session() as session:
        session.connection().exec_driver_sql(
            "UPDATE movies SET details_fetched_at = now() - external_id * interval '1 day', "
            "fetched_at = now() - interval '300 days' WHERE external_id <= 40"
        )
    asked = counted(short_sandbox)["ids"]

    thirty_days = parse_days(30)
    report = fetch(db, short_sandbox.url, stale_after=thirty_days, max_requests=3 + 5, threads=1)
    again = {
        id_ for id_, times in counted(short_sandbox)["ids"].items() if times > asked.get(id_, 0)
    }
    rest = fetch(db, short_sandbox.url, stale_after=thirty_days)

    old = read_sql(db, "SELECT external_id FROM movies WHERE external_id BETWEEN 30 AND 40")
    assert again == {str(id_) for id_ in sorted(old)[-5:]}
    assert report.exit_code == 7
    assert report.counts.unchanged + rest.counts.unchanged == len(old)
    assert fetch(db, short_sandbox.url, stale_after=thirty_days).requests == 3


def test_all_that_is_stale_is_renewed_once(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """However many chunks the ids are read in, each movie is requested once."""
    monkeypatch.setattr("ingest.phases.read_details.IDS_PER_READ", 7)
    fetch_first(db, short_sandbox)
    run_sql(db.url, "UPDATE movies SET details_fetched_at = now() - interval '40 days'")
    asked = counted(short_sandbox)["ids"]

    report = fetch(db, short_sandbox.url, stale_after=parse_days(30))

    assert report.exit_code == 0
    assert report.counts.planned == 2 * ROWS + FEW_MOVIES, "two list pages, and each movie"
    again = {id_: times - asked.get(id_, 0) for id_, times in counted(short_sandbox)["ids"].items()}
    assert again == dict.fromkeys(read_sql(db, "SELECT external_id::text FROM movies"), 1)


def parse_days(days: int):
    """Return *days* as the command line reads them."""
    from cli.options import Duration

    return Duration().convert(f"{days}d", None, None)
