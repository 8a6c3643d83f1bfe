"""The fetch command as a user and as cron see it."""

import os
import re
import signal
import time
from pathlib import Path

import pytest
import requests
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.commands import call, children_of, run, start
from tests.support.databases import table_contents


def test_the_first_command_of_the_readme_fills_an_embedded_database(tmp_path: Path):
    """
    On a machine with nothing, one command mirrors a few hundred movies and says what is next;
    also in a folder where others keep modules that are called like ours.
    """
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "__init__.py").touch()
    command = ("fetch_yts_data.py", "--sandbox", "--max-pages", "10", "--workers", "4")
    home = {"YTS_HOME": str(tmp_path / "home")}

    first = run(*command, env=home, cwd=tmp_path)
    again = run(*command, env=home, cwd=tmp_path)

    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Done.")
    assert "400 movies, 400 with details" in first.stdout
    assert "monitor_progress.py --once" in first.stdout
    assert again.stdout.startswith("Nothing new: ")


def test_off_a_terminal_nothing_moves(database_url: URL, sandbox: Sandbox):
    """
    Cron mail and log files get no carriage returns and no colours.
    """
    done = run("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", url=database_url)

    assert done.returncode == 0
    assert not re.search(r"[\r\x1b]", done.stdout + done.stderr)


def test_success_is_silent_when_asked(database_url: URL, sandbox: Sandbox):
    """
    Under -q cron sends no mail unless something is wrong.
    """
    done = run("fetch_yts_data.py", "-q", "--api-url", sandbox.url, "--rate", "0", url=database_url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("--ids", "5-1"),
        ("--ids", "one"),
        ("--workers", "0"),
        ("--max-pages", "none"),
        ("--rate", "-1"),
        ("--api-url", "yts.gg"),
        ("--sandbox", "--api-url", "http://127.0.0.1:9"),
        ("--database-url", "mysql://root:hunter2@localhost/db"),
        ("--wat",),
    ],
)
def test_nonsense_is_refused_before_anything_is_done(arguments: tuple[str, ...], tmp_path: Path):
    """
    A wrong option costs a sentence and exit 2; no database is made for it, nothing secret shown.
    """
    home = tmp_path / "home"

    done = run("fetch_yts_data.py", *arguments, env={"YTS_HOME": str(home)})

    assert done.returncode == 2
    assert "rror" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    assert not home.exists()


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)],
)
def test_a_signal_ends_the_run_in_order(number: signal.Signals, exit_code: int, tmp_path: Path):
    """
    What was fetched is saved, neither process, server nor socket stays, and the next run
    finishes the work.
    """
    home = {"YTS_HOME": str(tmp_path / "home")}
    with open_sandbox(SandboxSettings(movies=300, latency_seconds=0.05)) as sandbox:
        arguments = ("--api-url", sandbox.url, "--rate", "0", "--workers", "3")
        process = start("fetch_yts_data.py", *arguments, env=home, cwd=tmp_path)
        _wait_for_requests(sandbox, 30)
        assert (tmp_path / "home/socket").exists()
        began = time.monotonic()
        os.killpg(process.pid, number)  # as a terminal does: everybody gets it
        _, stderr = process.communicate(timeout=30)
        took = time.monotonic() - began
        _wait_until_gone(process.pid)
        assert children_of(tmp_path / "home/data") == [], "the server"
        assert not (tmp_path / "home/socket").exists()
        again = run("fetch_yts_data.py", *arguments, env=home, cwd=tmp_path)

    assert process.returncode == exit_code, stderr
    assert took < 10
    assert "Traceback" not in stderr
    assert again.returncode == 0
    assert "300 movies, 300 with details" in again.stdout


def test_a_killed_run_costs_nothing_but_time(new_database, tmp_path: Path):
    """
    After SIGKILL of the main process no worker stays, and the next run gives equal tables.
    """
    killed_url, calm_url = new_database(), new_database()
    with open_sandbox(SandboxSettings(movies=300, latency_seconds=0.03)) as sandbox:
        arguments = ("--api-url", sandbox.url, "--rate", "0", "--workers", "3")
        process = start("fetch_yts_data.py", *arguments, url=killed_url)
        _wait_for_requests(sandbox, 100)
        process.kill()
        process.communicate()
        _wait_until_gone(process.pid)
        call("fetch_yts_data.py", *arguments[:-1], "1", url=killed_url)
        call("fetch_yts_data.py", *arguments[:-1], "1", "--threads", "16", url=calm_url)

    with DatabaseManager(killed_url) as killed, DatabaseManager(calm_url) as calm:
        assert table_contents(killed) == table_contents(calm)


def test_promised_functions_work_from_python(
    database_url: URL, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    `fetch_movie_details` gives what `save_movie` takes; `process_movie_batch` saves by ids.
    """
    import fetch_yts_data

    monkeypatch.setenv("YTS_API_URL", sandbox.url)
    monkeypatch.setenv("DATABASE_URL", database_url.render_as_string(hide_password=False))

    movie = fetch_yts_data.fetch_movie_details(1)
    report = fetch_yts_data.process_movie_batch([1, 2, 3])

    assert movie is not None
    assert movie["id"] == 1
    assert len(movie["cast"]) == 4
    assert report.counts.planned == 3
    with DatabaseManager(database_url) as db:
        assert db.save_movie(movie)[2] == "already_exists"


def _wait_for_requests(sandbox: Sandbox, count: int) -> None:
    for _ in range(300):
        stats = requests.get(f"{sandbox.root}/sandbox/stats", timeout=5).json()
        if stats["requests"] >= count:
            return
        time.sleep(0.05)
    raise AssertionError("the run does not come along")


def _wait_until_gone(group: int) -> None:
    for _ in range(100):
        try:
            os.killpg(group, 0)
        except ProcessLookupError:
            return
        time.sleep(0.05)
    raise AssertionError("a worker outlives its parent")
