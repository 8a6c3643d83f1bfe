"""A signal and --max-duration end every wait of a command, and long waits are reported."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, create_engine, text

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.cli.fetch.test_stopping import LONG, SECONDS_TO_END, stall_all, stop_group, wait_for_line
from tests.support.databases import LOCK_WAITS
from tests.support.paths import REPO
from tests.support.processes.commands import (
    HERE,
    PATIENT,
    SECONDS_TO_WAKE,
    children_of,
    environment,
    run,
    start,
)
from tests.support.processes.fork_server import start_python
from tests.support.processes.programs import ALEMBIC
from tests.support.processes.running import is_group_alive
from tests.support.runs import counted, read_sql, set_faults
from tests.support.servers.shared_server import copy_home
from tests.support.waiting import wait_until

FETCH = ("fetch_yts_data.py", "--rate", "0", "--no-embed")
#: Report waits after half a second instead of five, in the main process.
SHORT_WAITS = {
    "database.connection.waits.SECONDS_UNTIL_SAID": 0.5,
    "database.connection.waits.waiting_for.__wrapped__.__kwdefaults__": {"seconds": 0.5},
    "ingest.worker_waits.SECONDS_BETWEEN_LOOKS": 0.5,
}
#: Cancel statements a moment after a stop request instead of 2.5 seconds, in all processes. One
#: test keeps the usual time.
SHORT_STATEMENTS = {"ingest.bound_statements.STATEMENT_SECONDS": 0.2}


@contextmanager
def held_by_another_session(url: URL, table: str) -> Iterator[Callable[[], bool]]:
    """Lock *table* as ALTER TABLE does; yield a function: whether a session waits for a lock."""
    engine = create_engine(url)
    with engine.connect() as connection, connection.begin():
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        with DatabaseManager(url, application_name="a test") as db:
            yield lambda: bool(read_sql(db, LOCK_WAITS) != [0])
    engine.dispose()


@pytest.mark.parametrize(
    ("command", "table"),
    [
        (("--workers", "1"), "movies"),
        (("--workers", "2"), "movies"),
        (("--workers", "1"), "sync_state"),
        (("--workers", "1"), "fetch_runs"),
    ],
    ids=["one-worker", "two-workers", "sync_state", "fetch_runs"],
)
def test_a_signal_ends_a_fetch_that_waits_for_a_lock(
    command: tuple[str, ...], table: str, database_url: URL, sandbox: Sandbox
) -> None:
    """
    The main process and workers end, and no session of theirs waits in PostgreSQL afterwards.
    """
    with held_by_another_session(database_url, table) as is_waiting:
        process = start(
            *FETCH, "--api-url", sandbox.url, *command, url=database_url, patches=SHORT_STATEMENTS
        )
        wait_until(is_waiting, "a wait for the lock")
        took, _ = stop_group(process, signal.SIGTERM)
        wait_until(lambda: not is_waiting(), "the end of the wait")

    assert took < SECONDS_TO_END


COMMANDS: dict[str, tuple[str, ...]] = {
    "fetch": FETCH,
    "query": ("query_movies.py", "top"),
    "monitor": ("monitor_progress.py", "--once"),
    "check": ("test_db_connection.py",),
    "embed": ("embed_movies.py",),
    "alembic": (str(ALEMBIC), "-c", str(REPO / "alembic.ini"), "current"),
}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        *((name, signal.SIGTERM) for name in COMMANDS),
        ("fetch", signal.SIGHUP),
        ("alembic", signal.SIGHUP),
        *(pytest.param(name, signal.SIGHUP, marks=LONG) for name in [*COMMANDS][1:-1]),
    ],
)
def test_a_signal_ends_every_command_that_waits_for_a_lock(
    name: str, number: int, database_url: URL
) -> None:
    """
    The exit code is 128 plus the number of the signal, as shells expect.
    """
    with held_by_another_session(database_url, "alembic_version") as is_waiting:
        usual = (name, number) == ("fetch", signal.SIGTERM)
        patches = {} if usual else SHORT_STATEMENTS
        process = start(*COMMANDS[name], url=database_url, patches=patches)
        wait_until(is_waiting, "a wait for the lock")
        took, _ = stop_group(process, number)
        wait_until(lambda: not is_waiting(), "the end of the wait")

    assert took < SECONDS_TO_END


def test_a_second_signal_ends_the_wait_for_a_lock_at_once(
    database_url: URL, sandbox: Sandbox
) -> None:
    """
    A second signal ends the run while its main thread waits for PostgreSQL.
    """
    with held_by_another_session(database_url, "fetch_runs") as is_waiting:
        process = start(*FETCH, "--api-url", sandbox.url, url=database_url, patches=PATIENT)
        wait_until(is_waiting, "a wait for the lock")
        process.send_signal(signal.SIGINT)
        wait_for_line(process, "A second signal stops at once.")
        took, _ = stop_group(process, signal.SIGINT)

    assert took < SECONDS_TO_WAKE


@pytest.mark.parametrize("table", ["movies", "fetch_runs", "alembic_version"])
def test_time_is_limited_while_a_fetch_waits_for_a_lock(
    table: str, database_url: URL, sandbox: Sandbox
) -> None:
    """
    --max-duration counts from the start of the command and ends its wait for PostgreSQL.
    """
    with held_by_another_session(database_url, table):
        began = time.monotonic()
        process = start(
            *FETCH, "--api-url", sandbox.url, "--workers", "1", "--max-duration", "1s",
            url=database_url, patches=SHORT_STATEMENTS,
        )  # fmt: skip
        stdout, stderr = process.communicate(timeout=30)
        took = time.monotonic() - began

    assert process.returncode == 7, stderr
    assert "--max-duration is over" in stdout + stderr
    assert took < 1 + SECONDS_TO_END


@pytest.mark.parametrize(
    ("workers", "rate"),
    [("1", "0"), pytest.param("1", "40", marks=LONG), pytest.param("2", "0", marks=LONG),
     ("2", "40")],
)  # fmt: skip
def test_time_is_limited_while_a_fetch_obeys_retry_after(
    workers: str, rate: str, database_url: URL
) -> None:
    """
    --max-duration ends the pause of a minute that a Retry-After asks for.
    """
    settings = SandboxSettings(movies=100, retry_after_seconds=60, faults={"429": 1.0})
    with open_sandbox(settings) as sandbox:
        began = time.monotonic()
        process = start(
            "fetch_yts_data.py", "--api-url", sandbox.url, "--rate", rate, "--workers", workers,
            "--max-duration", "2s", url=database_url,
        )  # fmt: skip
        _, stderr = process.communicate(timeout=30)

    assert process.returncode == 7, stderr
    assert time.monotonic() - began < 2 + SECONDS_TO_END


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of an embedded server with a few movies, which is not running."""
    folder = copy_home(tmp_path_factory, tmp_path_factory.mktemp("embedded") / "home")
    done = run("fetch_yts_data.py", "--sandbox", "--no-details", env={"YTS_HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    return folder


USERS_OF_THE_SERVER = {
    "query": (str(REPO / "query_movies.py"), "export"),
    "monitor": (str(REPO / "monitor_progress.py"), "--json", "--interval", "0.1"),
    "psql": (str(REPO / "database_shell.py"), "psql", "-c", "SELECT pg_sleep(60)"),
}


@pytest.mark.parametrize(
    ("name", "number"),
    [
        ("query", signal.SIGTERM),
        pytest.param("query", signal.SIGHUP, marks=LONG),
        pytest.param("query", signal.SIGINT, marks=LONG),
        ("monitor", signal.SIGINT),
        pytest.param("monitor", signal.SIGTERM, marks=LONG),
        pytest.param("monitor", signal.SIGHUP, marks=LONG),
        ("psql", signal.SIGHUP),
        ("psql", signal.SIGINT),
        pytest.param("psql", signal.SIGTERM, marks=LONG),
    ],
)
def test_a_signal_leaves_no_embedded_server(name: str, number: int, home: Path) -> None:
    """
    The last command that uses a server stops it, also if a signal ends the command while the pipe
    of its output is full.
    """
    process = start_python(
        USERS_OF_THE_SERVER[name],
        env=environment(YTS_HOME=str(home)),
        cwd=HERE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    wait_until(lambda: children_of(home / "data"), "the server")
    assert process.stdout is not None
    time.sleep(1.5)  # until the pipe is full, or psql waits
    process.send_signal(number)
    exit_code = process.wait(timeout=SECONDS_TO_END)
    process.stdout.close()

    if number == signal.SIGINT:  # It is the usual way to end a monitor; psql only ends its query.
        assert exit_code == {"query": 130, "monitor": 0, "psql": 1}[name]
    else:
        assert exit_code == 128 + number
    assert not children_of(home / "data")
    wait_until(lambda: not is_group_alive(process.pid), "the end of all its processes")


def reported_wait(process: Any, beginning: str) -> str:
    """Return the first line on stderr that has *beginning*, and kill the command."""
    try:
        return wait_for_line(process, beginning)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_long_wait_for_a_lock_is_reported(
    workers: str, database_url: URL, sandbox: Sandbox
) -> None:
    """
    The message names the table and the session that holds the lock, also if a worker waits.
    """
    with held_by_another_session(database_url, "movie_casts"):
        source = ("--api-url", sandbox.url, "--workers", workers)
        process = start(*FETCH, *source, url=database_url, patches=SHORT_WAITS)
        message = reported_wait(process, "Waiting for PostgreSQL")

    assert "another session (process " in message
    assert "holds a lock on movie_casts" in message


@pytest.mark.parametrize(
    ("workers", "rate"), [("1", "0"), pytest.param("1", "40", marks=LONG), ("2", "40")]
)
def test_a_long_pause_that_yts_asked_for_is_reported(
    workers: str, rate: str, database_url: URL
) -> None:
    """
    The message has the length of the pause and its reason.
    """
    with open_sandbox(SandboxSettings(movies=100, retry_after_seconds=60)) as sandbox:
        process = start(
            "fetch_yts_data.py", "--api-url", sandbox.url, "--rate", rate, "--workers", workers,
            url=database_url, patches=SHORT_WAITS,
        )  # fmt: skip
        wait_until(lambda: counted(sandbox)["requests"] > 5, "details")
        set_faults(sandbox, _429=1.0)
        message = reported_wait(process, "Waiting for the next")

    assert " s: YTS " in message


def test_a_long_wait_for_another_fetch_is_reported(database_url: URL, sandbox: Sandbox) -> None:
    """
    The message names the process of the other fetch.
    """
    holder = create_engine(database_url)
    with hold_fetch_lock(holder):
        source = ("--api-url", sandbox.url, "--wait-lock", "60")
        process = start(*FETCH, *source, url=database_url, patches=SHORT_WAITS)
        message = reported_wait(process, "Waiting for another fetch")
    holder.dispose()

    assert "process " in message


def test_a_quiet_fetch_reports_no_waits(database_url: URL, sandbox: Sandbox) -> None:
    """
    With -q, a run that --max-duration ends during a wait reports only its end.
    """
    with held_by_another_session(database_url, "movies") as is_waiting:
        options = ("--api-url", sandbox.url, "--max-duration", "2s", "-q")
        patches = SHORT_WAITS | SHORT_STATEMENTS
        process = start(*FETCH, *options, url=database_url, patches=patches)
        wait_until(is_waiting, "a wait for the lock")
        _, stderr = process.communicate(timeout=30)

    assert process.returncode == 7
    assert "Waiting" not in stderr


def test_a_server_whose_last_command_was_killed_is_stopped(home: Path) -> None:
    """
    The server runs on while another command uses it.
    """
    values = {"YTS_HOME": str(home)}
    command = ("--json", "--interval", "0.2")
    first = start("monitor_progress.py", *command, env=values)
    first.stdout.readline()
    second = start("monitor_progress.py", *command, env=values)
    second.stdout.readline()
    for process in (first, second):
        assert children_of(home / "data")
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        if process is first:  # The guard looks again while these lines come.
            for _ in range(25):
                second.stdout.readline()

    wait_until(lambda: not children_of(home / "data"), "the end of the server")


def test_a_second_signal_shows_no_warning_of_python(database_url: URL) -> None:
    """
    Python would warn about semaphores that its killed processes leave behind.
    """
    with open_sandbox(SandboxSettings(movies=200)) as sandbox:
        source = ("--api-url", sandbox.url, "--rate", "40", "--workers", "2")
        process = start("fetch_yts_data.py", *source, url=database_url)
        wait_until(lambda: counted(sandbox)["requests"] > 15, "details")
        stall_all(sandbox)
        process.send_signal(signal.SIGINT)
        wait_for_line(process, "A second signal stops at once.")
        _, stderr = stop_group(process, signal.SIGINT)

    assert "warn" not in stderr
    assert "semaphore" not in stderr
