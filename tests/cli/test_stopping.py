"""Ctrl-C and SIGTERM, whatever the fetch is doing: it ends in order, in time, without a trace."""

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.commands import SECONDS_TO_WAKE, children_of, start
from tests.support.processes import workers_of
from tests.support.runs import counted, read_sql, set_faults

FETCH = "fetch_yts_data.py"
LONG = pytest.mark.long
SIGNALS = pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=LONG)], ids=["SIGINT", "SIGTERM"]
)


def until(is_so: Callable[[], Any], what: str) -> None:
    """Wait until something is so."""
    deadline = time.monotonic() + 60
    while not is_so():
        assert time.monotonic() < deadline, f"never came: {what}"
        time.sleep(0.02)


def stop_group(process: Any, number: int) -> tuple[float, str]:
    """Signal a command and all its processes, as a terminal does; return seconds and stderr."""
    began = time.monotonic()
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=30)
    took = time.monotonic() - began
    assert process.returncode == 128 + number, stderr
    assert "Traceback" not in stderr, stderr
    until(lambda: not is_alive(process.pid), "the end of all its processes")
    return took, stderr


def is_alive(group: int) -> bool:
    """Tell whether any process of a group is left."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def last_run(url: URL) -> tuple[Any, ...]:
    """Return phase, exit code and whether it is closed, of the newest run."""
    query = "SELECT phase, exit_code, finished_at IS NOT NULL FROM fetch_runs ORDER BY id DESC"
    with DatabaseManager(url) as db:
        return read_sql(db, query)[0]


def requests_of(sandbox: Sandbox) -> int:
    """Return how many requests have come."""
    return counted(sandbox)["requests"]


@pytest.fixture(autouse=True)
def started() -> Iterator[list[Any]]:
    """End what a test that failed has left."""
    yield _started
    for process in _started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    _started.clear()


_started: list[Any] = []


def fetch_from(sandbox: Sandbox, url: URL | None, *arguments: str, **options: Any) -> Any:
    """Start a fetch from a sandbox."""
    _started.append(start(FETCH, "--api-url", sandbox.url, *arguments, url=url, **options))
    return _started[-1]


@SIGNALS
def test_a_signal_ends_the_wait_for_another_fetch(number: int, database_url: URL, sandbox: Sandbox):
    """
    Whoever waits for the lock has done nothing, leaves no row, and goes at once.
    """
    waiting = "SELECT 1 FROM pg_stat_activity WHERE now() - backend_start > interval '0.6 s' AND "
    waiting += "datname = current_database() AND application_name = 'yts-mirror'"
    holder = create_engine(database_url)
    with DatabaseManager(database_url, application_name="a test") as db, hold_fetch_lock(holder):
        process = fetch_from(sandbox, database_url, "--wait-lock", "60")
        until(lambda: read_sql(db, waiting), "somebody who waits")
        took, _ = stop_group(process, number)
        assert read_sql(db, "SELECT 1 FROM fetch_runs") == []
    holder.dispose()

    assert took < SECONDS_TO_WAKE
    assert requests_of(sandbox) == 0


def test_a_signal_ends_a_probe_that_is_not_answered(database_url: URL):
    """
    A source that falls silent on the very first request holds nobody up.
    """
    silent = SandboxSettings(movies=200, faults={"stall": 1.0})
    with open_sandbox(silent) as sandbox:
        process = fetch_from(sandbox, database_url)
        until(lambda: requests_of(sandbox), "the probe")
        took, _ = stop_group(process, signal.SIGINT)

    assert took < 10
    assert last_run(database_url) == ("ended", 130, True)


def test_a_signal_wakes_who_sleeps_until_a_slot(database_url: URL, sandbox: Sandbox):
    """
    At one request in fifty seconds nobody waits for the next slot.
    """
    process = fetch_from(sandbox, database_url, "--rate", "0.02", "--workers", "2")
    until(lambda: requests_of(sandbox), "the probe")
    time.sleep(2.0)  # until the workers sleep

    took, _ = stop_group(process, signal.SIGTERM)

    assert took < SECONDS_TO_WAKE
    assert last_run(database_url) == ("ended", 143, True)


@pytest.mark.parametrize(("fault", "workers"), [("500", "1"), ("429", "2")])
def test_a_signal_ends_the_pause_after_a_failure(fault: str, workers: str, database_url: URL):
    """
    Neither our own back-off nor the server's Retry-After of a minute is slept out.
    """
    with open_sandbox(SandboxSettings(movies=200, retry_after_seconds=60)) as sandbox:
        process = fetch_from(sandbox, database_url, "--rate", "40", "--workers", workers)
        until(lambda: requests_of(sandbox) > 15, "details")
        set_faults(sandbox, **{f"_{fault}": 1.0})
        until(lambda: counted(sandbox)["faults"].get(fault), "failures")
        took, _ = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_WAKE
    assert last_run(database_url) == ("ended", 130, True)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=LONG), "2"])
def test_a_signal_does_not_wait_for_a_stalled_answer(workers: str, database_url: URL):
    """
    What was fetched is saved; an answer that does not come is left behind.
    """
    with open_sandbox(SandboxSettings(movies=200)) as sandbox:
        process = fetch_from(sandbox, database_url, "--rate", "40", "--workers", workers)
        until(lambda: requests_of(sandbox) > 15, "details")
        before = requests_of(sandbox)  # Each of the four threads has one more answered at most.
        set_faults(sandbox, stall=1.0)
        until(lambda: requests_of(sandbox) >= before + 4, "stalls")
        took, _ = stop_group(process, signal.SIGTERM)

    assert took < 10
    assert last_run(database_url) == ("ended", 143, True)
    with DatabaseManager(database_url) as db:
        assert db.get_stats()["movies_with_details"] > 0


def test_a_second_signal_ends_at_once(tmp_path: Path):
    """
    Who cannot wait ten seconds need not; the embedded server goes, too.
    """
    home = tmp_path / "home"
    with open_sandbox(SandboxSettings(movies=200)) as sandbox:
        arguments = ("--rate", "40", "--workers", "2")
        process = fetch_from(sandbox, None, *arguments, env={"YTS_HOME": str(home)})
        until(lambda: requests_of(sandbox) > 15, "details")
        set_faults(sandbox, stall=1.0)
        time.sleep(0.5)
        os.killpg(process.pid, signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None, "the first one waits for what is under way"
        took, _ = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_WAKE
    until(lambda: not children_of(home / "data"), "the end of the server")


@pytest.mark.parametrize(
    ("number", "sign"),
    [
        pytest.param(signal.SIGINT, "server.lock", marks=LONG),
        (signal.SIGTERM, "data/postmaster.pid"),
    ],
    ids=["SIGINT", "SIGTERM"],
)
def test_a_signal_while_the_server_starts_leaves_none(number: int, sign: str, tmp_path: Path):
    """
    From the first moment on, a signal ends the program and what it has started.
    """
    home = tmp_path / "home"
    process = start(FETCH, "--sandbox", env={"YTS_HOME": str(home)})
    until((home / sign).exists, sign)

    took, _ = stop_group(process, number)

    assert process.returncode == 128 + number
    assert took < 10
    until(lambda: not children_of(home / "data"), "the end of the server")


def test_a_signal_while_workers_start_shows_no_traceback(database_url: URL):
    """
    Ctrl-C reaches processes that are still importing; only the main process may take notice.
    """
    with open_sandbox(SandboxSettings(movies=200, latency_seconds=0.1)) as sandbox:
        process = fetch_from(sandbox, database_url, "--rate", "0", "--workers", "3")
        until(lambda: len(workers_of(process.pid)) == 3, "workers")
        took, stderr = stop_group(process, signal.SIGINT)

    assert took < 10
    assert "KeyboardInterrupt" not in stderr
    assert last_run(database_url) == ("ended", 130, True)
