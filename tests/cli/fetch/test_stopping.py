"""Ctrl-C and SIGTERM end a fetch in time, in each of its phases; no process is left."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine

from cli.signals import STOP_SECONDS
from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.processes.commands import PATIENT, SECONDS_TO_WAKE, children_of, start
from tests.support.processes.running import is_group_alive, workers_of
from tests.support.runs import counted, read_sql, set_faults
from tests.support.servers.shared_server import copy_home
from tests.support.waiting import wait_until

FETCH = "fetch_yts_data.py"
LONG = pytest.mark.long
#: The rest is for a busy machine. A request that stalls would take 30 s.
SECONDS_TO_END = STOP_SECONDS + 10
#: Requests under way have half a second instead of five after a stop.
IMPATIENT = {"ingest.worker.fetcher.SECONDS_TO_DRAIN": 0.5}
SIGNALS = pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=LONG)], ids=["SIGINT", "SIGTERM"]
)


def stop_group(process: Any, number: int) -> tuple[float, str]:
    """Send a signal to all processes of a command; return seconds until the end, and stderr."""
    began = time.monotonic()
    os.killpg(process.pid, number)
    _, stderr = process.communicate(timeout=30)
    took = time.monotonic() - began
    assert process.returncode == 128 + number, stderr
    assert "Traceback" not in stderr, stderr
    wait_until(lambda: not is_group_alive(process.pid), "the end of all its processes")
    return took, stderr


def wait_for_line(process: Any, text: str) -> str:
    """Read stderr of a command to the first line with *text*, and return that line."""
    for line in process.stderr:
        if text in line:
            return line
    raise AssertionError(f"the command has ended without {text!r}")


def last_run(url: URL) -> tuple[Any, ...]:
    """Return the phase and exit code of the newest run, and whether its row is closed."""
    query = "SELECT phase, exit_code, finished_at IS NOT NULL FROM fetch_runs ORDER BY id DESC"
    with DatabaseManager(url) as db:
        return read_sql(db, query)[0]


def requests_of(sandbox: Sandbox) -> int:
    """Return how many requests the sandbox has received."""
    return counted(sandbox)["requests"]


@pytest.fixture(autouse=True)
def started() -> Iterator[list[Any]]:
    """Kill the processes that a failed test has left."""
    yield _started
    for process in _started:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate()
    _started.clear()


_started: list[Any] = []


def stall_all(sandbox: Sandbox) -> None:
    """Let all responses stall, and wait until all threads of the fetch wait for one."""
    set_faults(sandbox, stall=1.0)
    counts = [requests_of(sandbox)]

    def is_quiet() -> bool:
        time.sleep(0.25)
        counts.append(requests_of(sandbox))
        return counts[-1] == counts[-2]

    wait_until(is_quiet, "stalls")


def fetch_from(sandbox: Sandbox, url: URL | None, *arguments: str, **options: Any) -> Any:
    """Start a fetch from a sandbox."""
    _started.append(start(FETCH, "--api-url", sandbox.url, *arguments, url=url, **options))
    return _started[-1]


@SIGNALS
def test_a_signal_ends_the_wait_for_another_fetch(number: int, database_url: URL, sandbox: Sandbox):
    """
    A fetch that waits for the lock of another one has inserted no row and made no request.
    """
    waiting = "SELECT 1 FROM pg_stat_activity WHERE now() - backend_start > interval '0.6 s' AND "
    waiting += "datname = current_database() AND application_name = 'yts-mirror'"
    holder = create_engine(database_url)
    with DatabaseManager(database_url, application_name="a test") as db, hold_fetch_lock(holder):
        process = fetch_from(sandbox, database_url, "--wait-lock", "60", patches=PATIENT)
        wait_until(lambda: read_sql(db, waiting), "a fetch that waits")
        took, _ = stop_group(process, number)
        assert read_sql(db, "SELECT 1 FROM fetch_runs") == []
    holder.dispose()

    assert took < SECONDS_TO_WAKE
    assert requests_of(sandbox) == 0


def test_a_signal_ends_a_probe_without_a_response(database_url: URL):
    """
    The first request of a run gets no response: a signal ends the run, which closes its row.
    """
    silent = SandboxSettings(movies=200, faults={"stall": 1.0})
    with open_sandbox(silent) as sandbox:
        process = fetch_from(sandbox, database_url, patches=IMPATIENT)
        wait_until(lambda: requests_of(sandbox), "the probe")
        took, _ = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_END
    assert last_run(database_url) == ("ended", 130, True)


def test_a_signal_wakes_workers_that_sleep_until_a_slot(database_url: URL, sandbox: Sandbox):
    """
    At one request in 50 seconds, workers sleep until their slot. A signal ends this sleep.
    """
    taken = "SELECT 1 FROM request_budget WHERE last_slot_at > now() + interval '20 s'"
    options = ("--rate", "0.02", "--workers", "2")
    process = fetch_from(sandbox, database_url, *options, patches=PATIENT)
    with DatabaseManager(database_url, application_name="a test") as db:
        wait_until(lambda: read_sql(db, taken), "a worker that sleeps until its slot")

    took, _ = stop_group(process, signal.SIGTERM)

    assert took < SECONDS_TO_WAKE
    assert last_run(database_url) == ("ended", 143, True)


@pytest.mark.parametrize(("fault", "workers"), [("500", "1"), ("429", "2")])
def test_a_signal_ends_the_pause_after_a_failure(fault: str, workers: str, database_url: URL):
    """
    A signal ends the pause before a retry, and the minute that a Retry-After asks for.
    """
    with open_sandbox(SandboxSettings(movies=200, retry_after_seconds=60)) as sandbox:
        options = ("--rate", "40", "--workers", workers)
        process = fetch_from(sandbox, database_url, *options, patches=PATIENT)
        wait_until(lambda: requests_of(sandbox) > 15, "details")
        set_faults(sandbox, **{f"_{fault}": 1.0})
        wait_until(lambda: counted(sandbox)["faults"].get(fault), "failures")
        took, _ = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_WAKE
    assert last_run(database_url) == ("ended", 130, True)


@pytest.mark.parametrize("workers", [pytest.param("1", marks=LONG), "2"])
def test_a_signal_does_not_wait_for_a_stalled_response(workers: str, database_url: URL):
    """
    The run saves what was fetched, and gives up responses that have not come.
    """
    with open_sandbox(SandboxSettings(movies=200)) as sandbox:
        options = ("--rate", "40", "--workers", workers)
        process = fetch_from(sandbox, database_url, *options, patches=IMPATIENT)
        wait_until(lambda: requests_of(sandbox) > 15, "details")
        stall_all(sandbox)
        took, _ = stop_group(process, signal.SIGTERM)

    assert took < SECONDS_TO_END
    assert last_run(database_url) == ("ended", 143, True)
    with DatabaseManager(database_url) as db:
        assert db.get_stats()["movies_with_details"] > 0


def test_a_second_signal_ends_at_once(tmp_path_factory: pytest.TempPathFactory):
    """
    The first signal lets requests under way end, for up to ten seconds. A second one ends the run
    at once. The embedded server stops as well.
    """
    home = copy_home(tmp_path_factory, tmp_path_factory.mktemp("used") / "home")
    with open_sandbox(SandboxSettings(movies=200)) as sandbox:
        options: dict[str, Any] = {"env": {"YTS_HOME": str(home)}, "patches": PATIENT}
        process = fetch_from(sandbox, None, "--rate", "40", **options)
        wait_until(lambda: requests_of(sandbox) > 15, "details")
        stall_all(sandbox)
        os.killpg(process.pid, signal.SIGINT)
        wait_for_line(process, "A second signal stops at once.")
        time.sleep(0.5)
        assert process.poll() is None, "the first signal waits for requests under way"
        took, _ = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_WAKE
    wait_until(lambda: not children_of(home / "data"), "the end of the server")


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
    A signal during the start of the embedded server ends the command and the server.
    """
    home = tmp_path / "home"
    process = start(FETCH, "--sandbox", env={"YTS_HOME": str(home)})
    wait_until((home / sign).exists, sign)

    took, _ = stop_group(process, number)

    assert process.returncode == 128 + number
    assert took < SECONDS_TO_END
    wait_until(lambda: not children_of(home / "data"), "the end of the server")


def test_a_signal_while_workers_start_shows_no_traceback(database_url: URL):
    """
    Ctrl-C also reaches workers that still import modules. Only the main process reacts to it.
    """
    with open_sandbox(SandboxSettings(movies=200, latency_seconds=0.1)) as sandbox:
        process = fetch_from(sandbox, database_url, "--rate", "0", "--workers", "3")
        wait_until(lambda: len(workers_of(process.pid)) == 3, "workers")
        took, stderr = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_END
    assert "KeyboardInterrupt" not in stderr
    assert last_run(database_url) == ("ended", 130, True)
