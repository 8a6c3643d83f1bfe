"""A fetch whose database becomes unreachable during a run, for a while or until its end."""

import os
import signal
import time
from collections.abc import Callable

import pytest
from sqlalchemy import URL

from database.connection.advisory_locks import AdvisoryLock
from database.db import DatabaseManager
from sandbox.api.sandbox_server import open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql, table_contents
from tests.support.processes.commands import PATIENT, SECONDS_TO_WAKE, run, start
from tests.support.servers.faulty_database import Mirror
from tests.support.servers.other_server import OtherServer
from tests.support.waiting import SOON_SECONDS, wait_until

LONG = pytest.mark.long


def test_a_list_is_read_to_its_end_whatever_is_cut(
    faulty_server: OtherServer, new_database: Callable[[], URL]
) -> None:
    """
    After a cut, pages, the progress of the sweep and the run's row are written again.
    """
    run_sql(faulty_server.url, "CREATE DATABASE cut TEMPLATE migrated OWNER mirror")
    url, calm = faulty_server.url.set(database="cut", username="mirror"), new_database()
    with open_sandbox(SandboxSettings(movies=300, latency_seconds=0.25)) as sandbox:
        arguments = ("--api-url", sandbox.url, "--rate", "0", "--no-details")
        run("fetch_yts_data.py", *arguments, "--workers", "1", url=calm)
        with DatabaseManager(calm) as db:
            mirror = Mirror(faulty_server, sandbox, url, table_contents(db))
        process = start("fetch_yts_data.py", *arguments, "--workers", "2", url=url)
        pages = "SELECT coalesce(sum(pages_read), 0) FROM fetch_runs"
        wait_until(lambda: mirror.ask(pages)[0] > 1, "no page is read")
        for application in ("yts-mirror", "yts-mirror worker%", "yts-mirror"):
            mirror.cut(application)
        done = mirror.finish(process)

    assert done.returncode == 0, done.stderr
    assert mirror.ask("SELECT watermark_movie_id > 300 FROM sync_state") == [True]
    mirror.check_whole()


def test_workers_whose_connections_are_cut_go_on(mirror: Mirror) -> None:
    """
    A step is repeated as a whole, and a slot is taken, on a new connection, however often.
    """
    process = mirror.start("--rate", "50", "--workers", "3")
    for _ in range(5):
        mirror.cut("yts-mirror worker%")
        time.sleep(0.2)
    done = mirror.finish(process)

    assert done.returncode == 0, done.stderr
    mirror.check_whole()


def test_the_main_process_gets_its_connections_and_its_lock_back(mirror: Mirror) -> None:
    """
    The lock is lost with its connection; the run takes it again soon.
    """
    process = mirror.start("--workers", "1", "--threads", "2", "--rate", "10")
    holders = f"SELECT pid FROM pg_locks WHERE objid = {AdvisoryLock.FETCH} AND granted"
    first = mirror.ask(holders)
    mirror.cut("yts-mirror")
    wait_until(lambda: mirror.ask(holders) not in ([], first), "the lock is not taken again")
    other = mirror.run()
    mirror.cut("yts-mirror")
    done = mirror.finish(process)

    assert other.returncode == 11
    assert done.returncode == 0, done.stderr
    mirror.check_whole()


def test_a_run_that_lost_its_lock_to_another_leaves_it_alone(mirror: Mirror) -> None:
    """
    Only one fetch runs at a time, also after the connection that holds the lock is lost.
    """
    process = mirror.start("--workers", "1", "--rate", "20")
    mirror.order("ALTER ROLE mirror CONNECTION LIMIT 0")
    mirror.cut("yts-mirror")
    with mirror.locked_by_another():
        mirror.order("ALTER ROLE mirror CONNECTION LIMIT -1")
        done = mirror.finish(process)

    assert done.returncode == 11
    assert "Another fetch is at work" in done.stderr
    assert mirror.ask("SELECT exit_code FROM fetch_runs WHERE id > 1") == [11]
    mirror.check_repaired()


@pytest.mark.parametrize(
    ("how", "rate"),
    [
        pytest.param(signal.SIGINT, "0", marks=LONG),
        (signal.SIGQUIT, "50"),
        pytest.param(signal.SIGKILL, "0", marks=LONG),
    ],
)
def test_a_restart_of_the_server_is_waited_out(
    mirror: Mirror, how: signal.Signals, rate: str
) -> None:
    """
    The server stops in order, at once, or by a crash, which empties the request budget.
    """
    process = mirror.start("--rate", rate)
    mirror.server.stop(how)
    time.sleep(1.5)
    mirror.server.start()
    done = mirror.finish(process)

    assert done.returncode == 0, done.stderr
    mirror.check_whole()


@pytest.mark.parametrize(
    "arguments",
    [
        ("--workers", "3", "--rate", "50"),
        pytest.param(("--workers", "1", "--threads", "6"), marks=LONG),
    ],
)
def test_a_server_that_is_gone_for_good_is_exit_5(
    mirror: Mirror, arguments: tuple[str, ...]
) -> None:
    """
    The run ends when its patience does, here after a second instead of sixty.
    """
    process = mirror.start(*arguments, command="tests/support/processes/impatient_fetch.py")
    mirror.server.stop(signal.SIGQUIT)
    try:
        done = mirror.finish(process, within_seconds=1 + SOON_SECONDS)
    finally:
        mirror.server.start()

    assert done.returncode == 5, done.stderr
    assert "nothing listens there. Start the server" in done.stderr
    mirror.check_repaired()


@pytest.mark.parametrize(
    "arguments",
    [("--workers", "2"), pytest.param(("--workers", "1", "--rate", "50"), marks=LONG)],
)
def test_a_signal_ends_the_wait_for_the_database(
    mirror: Mirror, arguments: tuple[str, ...]
) -> None:
    """
    The run does not wait for the server until its patience ends; the next run continues.
    """
    process = mirror.start(*arguments, patches=PATIENT)
    mirror.server.stop(signal.SIGQUIT)
    try:
        time.sleep(1.0)
        began = time.monotonic()
        os.killpg(process.pid, signal.SIGINT)
        done = mirror.finish(process)
        took = time.monotonic() - began
    finally:
        mirror.server.start()

    assert (done.returncode, took < SECONDS_TO_WAKE) == (130, True), (took, done.stderr)
    mirror.check_repaired()


def test_no_connection_left_is_waited_out(mirror: Mirror) -> None:
    """
    Other programs may use all connections for a while.
    """
    process = mirror.start()
    mirror.order("ALTER ROLE mirror CONNECTION LIMIT 0")
    mirror.cut("yts-mirror worker%")
    time.sleep(1.5)
    mirror.order("ALTER ROLE mirror CONNECTION LIMIT -1")
    done = mirror.finish(process)

    assert done.returncode == 0, done.stderr
    mirror.check_whole()


def test_no_connection_for_long_is_exit_5(mirror: Mirror) -> None:
    """
    The message says what to change, in the run or in the server.
    """
    process = mirror.start(command="tests/support/processes/impatient_fetch.py")
    mirror.order("ALTER ROLE mirror CONNECTION LIMIT 1")
    try:
        mirror.cut("yts-mirror worker%")
        done = mirror.finish(process, within_seconds=1 + SOON_SECONDS)
    finally:
        mirror.order("ALTER ROLE mirror CONNECTION LIMIT -1")

    assert done.returncode == 5, done.stderr
    assert "has no connection left. Use fewer --workers" in done.stderr
    mirror.check_repaired()
