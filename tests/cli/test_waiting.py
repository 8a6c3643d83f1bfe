"""Whatever a command waits for: a signal and --max-duration end it in time."""

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
from tests.cli.test_stopping import is_alive, stop_group, until
from tests.support.commands import HERE, children_of, environment, run, start
from tests.support.fork_server import start_python
from tests.support.paths import REPO
from tests.support.programs import ALEMBIC
from tests.support.runs import counted, read_sql, set_faults

FETCH = ("fetch_yts_data.py", "--rate", "0", "--no-embed")
WAITING = (
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
)
SECONDS = 10.0


@contextmanager
def held_by_another_session(url: URL, table: str) -> Iterator[Callable[[], bool]]:
    """Lock *table* as ALTER TABLE does; yield whether one of our sessions waits for it."""
    engine = create_engine(url)
    with engine.connect() as connection, connection.begin():
        connection.execute(text(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE"))
        with DatabaseManager(url, application_name="a test") as db:
            yield lambda: bool(read_sql(db, WAITING))
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
    In the main process and in workers; no session of ours goes on waiting afterwards.
    """
    with held_by_another_session(database_url, table) as is_waiting:
        process = start(*FETCH, "--api-url", sandbox.url, *command, url=database_url)
        until(is_waiting, "a wait for the lock")
        took, _ = stop_group(process, signal.SIGTERM)
        until(lambda: not is_waiting(), "the end of the wait")

    assert took < SECONDS


@pytest.mark.parametrize(
    "command",
    [
        FETCH,
        ("query_movies.py", "top"),
        ("monitor_progress.py", "--once"),
        ("test_db_connection.py",),
        ("embed_movies.py",),
        (str(ALEMBIC), "-c", str(REPO / "alembic.ini"), "current"),
    ],
    ids=["fetch", "query", "monitor", "check", "embed", "alembic"],
)
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_every_command_that_waits_for_a_lock(
    command: tuple[str, ...], number: int, database_url: URL
) -> None:
    """
    With 128 and the number of the signal, as a shell has it.
    """
    with held_by_another_session(database_url, "alembic_version") as is_waiting:
        process = start(*command, url=database_url)
        until(is_waiting, "a wait for the lock")
        took, _ = stop_group(process, number)
        until(lambda: not is_waiting(), "the end of the wait")

    assert took < SECONDS


def test_a_second_signal_ends_the_wait_for_a_lock_at_once(
    database_url: URL, sandbox: Sandbox
) -> None:
    """
    Also while the main thread waits for PostgreSQL.
    """
    with held_by_another_session(database_url, "fetch_runs") as is_waiting:
        process = start(*FETCH, "--api-url", sandbox.url, url=database_url)
        until(is_waiting, "a wait for the lock")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        took, _ = stop_group(process, signal.SIGINT)

    assert took < 2


@pytest.mark.parametrize("table", ["movies", "fetch_runs", "alembic_version"])
def test_time_is_limited_while_a_fetch_waits_for_a_lock(
    table: str, database_url: URL, sandbox: Sandbox
) -> None:
    """
    The time of --max-duration counts from the start, whatever the fetch waits for.
    """
    with held_by_another_session(database_url, table):
        began = time.monotonic()
        process = start(
            *FETCH, "--api-url", sandbox.url, "--workers", "1", "--max-duration", "1s",
            url=database_url,
        )  # fmt: skip
        stdout, stderr = process.communicate(timeout=30)
        took = time.monotonic() - began

    assert process.returncode == 7, stderr
    assert "--max-duration is over" in stdout + stderr
    assert took < 1 + SECONDS


@pytest.mark.parametrize("workers", ["1", "2"])
@pytest.mark.parametrize("rate", ["0", "40"])
def test_time_is_limited_while_a_fetch_obeys_retry_after(
    workers: str, rate: str, database_url: URL
) -> None:
    """
    The server's wish for a pause of a minute is not waited for.
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
    assert time.monotonic() - began < 2 + SECONDS


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the home of an embedded server with a few movies, which is not running."""
    folder = tmp_path_factory.mktemp("embedded") / "home"
    done = run("fetch_yts_data.py", "--sandbox", "--no-details", env={"YTS_HOME": str(folder)})
    assert done.returncode == 0, done.stderr
    return folder


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize(
    "command",
    [
        (str(REPO / "query_movies.py"), "export"),
        (str(REPO / "monitor_progress.py"), "--json", "--interval", "0.1"),
        (str(REPO / "database_shell.py"), "psql", "-c", "SELECT pg_sleep(60)"),
    ],
    ids=["query", "monitor", "exec"],
)
def test_a_signal_leaves_no_embedded_server(
    command: tuple[str, ...], number: int, home: Path
) -> None:
    """
    The last command to leave stops the server, whatever ends it; here nobody reads its output.
    """
    process = start_python(
        command,
        env=environment(YTS_HOME=str(home)),
        cwd=HERE,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    until(lambda: children_of(home / "data"), "the server")
    assert process.stdout is not None
    time.sleep(1.5)  # until the pipe is full, or psql waits
    process.send_signal(number)
    exit_code = process.wait(timeout=SECONDS)
    process.stdout.close()

    if number == signal.SIGINT:  # The usual way to leave a monitor; psql only ends its query.
        assert exit_code == (130 if "export" in command else 1 if "psql" in command else 0)
    else:
        assert exit_code == 128 + number
    assert not children_of(home / "data")
    until(lambda: not is_alive(process.pid), "the end of all its processes")


def sentence_of(process: Any, sign: str) -> str:
    """Return the first line on stderr that has *sign*, and end the command."""
    try:
        return next(line for line in process.stderr if sign in line)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_wait_for_a_lock_is_said(workers: str, database_url: URL, sandbox: Sandbox) -> None:
    """
    With the table and the session that holds it, though a worker process waits.
    """
    with held_by_another_session(database_url, "movie_casts"):
        source = ("--api-url", sandbox.url, "--workers", workers)
        process = start(*FETCH, *source, url=database_url)
        said = sentence_of(process, "Waiting for PostgreSQL")

    assert "another session (process " in said
    assert "holds a lock on movie_casts" in said


@pytest.mark.parametrize(("workers", "rate"), [("1", "0"), ("1", "40"), ("2", "40")])
def test_a_pause_that_yts_asked_for_is_said(workers: str, rate: str, database_url: URL) -> None:
    """
    With its length and its reason.
    """
    with open_sandbox(SandboxSettings(movies=100, retry_after_seconds=60)) as sandbox:
        process = start(
            "fetch_yts_data.py", "--api-url", sandbox.url, "--rate", rate, "--workers", workers,
            url=database_url,
        )  # fmt: skip
        until(lambda: counted(sandbox)["requests"] > 5, "details")
        set_faults(sandbox, _429=1.0)
        said = sentence_of(process, "Waiting for the next")

    assert " s: YTS " in said


def test_a_wait_for_another_fetch_is_said(database_url: URL, sandbox: Sandbox) -> None:
    """
    With the process that is at work.
    """
    holder = create_engine(database_url)
    with hold_fetch_lock(holder):
        source = ("--api-url", sandbox.url, "--wait-lock", "60")
        process = start(*FETCH, *source, url=database_url)
        said = sentence_of(process, "Waiting for another fetch")
    holder.dispose()

    assert "process " in said


def test_quiet_is_quiet_about_waits(database_url: URL, sandbox: Sandbox) -> None:
    """
    With -q only the end is said.
    """
    with held_by_another_session(database_url, "movies"):
        limits = ("--max-duration", "6s", "-q")
        process = start(*FETCH, "--api-url", sandbox.url, *limits, url=database_url)
        _, stderr = process.communicate(timeout=30)

    assert process.returncode == 7
    assert "Waiting" not in stderr


def test_a_server_whose_last_command_was_killed_is_stopped(home: Path) -> None:
    """
    And not before: another command that uses it is not disturbed.
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
        if process is first:  # Longer than the guard sleeps between two looks.
            for _ in range(25):
                second.stdout.readline()

    until(lambda: not children_of(home / "data"), "the end of the server")


def test_a_second_signal_says_nothing_of_python(database_url: URL) -> None:
    """
    No warning about what its processes leave behind.
    """
    with open_sandbox(SandboxSettings(movies=200)) as sandbox:
        source = ("--api-url", sandbox.url, "--rate", "40", "--workers", "3")
        process = start("fetch_yts_data.py", *source, url=database_url)
        until(lambda: counted(sandbox)["requests"] > 15, "details")
        set_faults(sandbox, stall=1.0)
        until(lambda: counted(sandbox)["faults"].get("stall"), "stalls")
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        _, stderr = stop_group(process, signal.SIGINT)

    assert "warn" not in stderr
    assert "semaphore" not in stderr
