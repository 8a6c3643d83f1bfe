"""`fetch_yts_data.py` for a user and for cron: output, exit codes, signals, kills."""

import os
import re
import signal
from pathlib import Path

import pytest
from sqlalchemy import URL

from cli.signals import STOP_SECONDS
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import table_contents
from tests.support.processes.commands import call, children_of, run, start
from tests.support.processes.running import is_group_alive
from tests.support.runs import counted
from tests.support.servers.shared_server import copy_home
from tests.support.waiting import wait_until


def test_the_first_command_of_the_readme_fills_an_embedded_database(tmp_path: Path):
    """
    One command starts the server, mirrors 400 movies and shows the next command.

    It also works in a folder that has a package with the name of one of the product.
    """
    (tmp_path / "ingest").mkdir()
    (tmp_path / "ingest" / "__init__.py").touch()
    command = ("fetch_yts_data.py", "--sandbox", "--max-pages", "10", "--workers")
    home = {"YTS_HOME": str(tmp_path / "home")}

    first = run(*command, "4", env=home, cwd=tmp_path)
    again = run(*command, "1", env=home, cwd=tmp_path)

    assert first.returncode == 0, first.stderr
    assert first.stdout.startswith("Done.")
    assert "400 movies, 400 with details" in first.stdout
    assert "monitor_progress.py --once" in first.stdout
    assert again.stdout.startswith("Nothing new: ")


def test_output_that_is_not_a_terminal_gets_plain_text(database_url: URL, sandbox: Sandbox):
    """
    Mail of cron and log files get no carriage returns and no colours.
    """
    source = ("--api-url", sandbox.url, "--rate", "0", "--max-pages", "1")
    done = run("fetch_yts_data.py", *source, url=database_url)

    assert done.returncode == 0
    assert not re.search(r"[\r\x1b]", done.stdout + done.stderr)


def test_success_is_silent_with_quiet(database_url: URL, sandbox: Sandbox):
    """
    With -q, cron sends no mail unless something is wrong.
    """
    source = ("--api-url", sandbox.url, "--rate", "0", "--max-pages", "1")
    done = run("fetch_yts_data.py", "-q", *source, url=database_url)

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
def test_an_invalid_option_is_refused_before_anything_is_done(
    arguments: tuple[str, ...], tmp_path: Path
):
    """
    An invalid option is a message and exit code 2. No database is created, no secret is shown.
    """
    home = tmp_path / "home"

    done = call("fetch_yts_data.py", *arguments, YTS_HOME=str(home))

    assert done.returncode == 2
    assert "rror" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stderr
    assert not home.exists()


@pytest.mark.parametrize(
    ("number", "exit_code"),
    [(signal.SIGINT, 130), pytest.param(signal.SIGTERM, 143, marks=pytest.mark.long)],
)
def test_a_signal_ends_the_run_in_order(
    number: signal.Signals,
    exit_code: int,
    tmp_path: Path,
    tmp_path_factory: pytest.TempPathFactory,
):
    """
    No process, server or socket is left, and the next run fetches the rest.
    """
    home = {"YTS_HOME": str(copy_home(tmp_path_factory, tmp_path / "home"))}
    with open_sandbox(SandboxSettings(movies=100, latency_seconds=0.1)) as sandbox:
        source = ("--api-url", sandbox.url, "--rate", "0")
        arguments = (*source, "--workers", "2")
        process = start("fetch_yts_data.py", *arguments, env=home, cwd=tmp_path)
        wait_until(lambda: counted(sandbox)["requests"] >= 30, "requests")
        assert (tmp_path / "home/socket").exists()
        os.killpg(process.pid, number)  # As a terminal does: all processes get it.
        _, stderr = process.communicate(timeout=STOP_SECONDS + 10)
        wait_until(lambda: not is_group_alive(process.pid), "the end of all workers")
        assert children_of(tmp_path / "home/data") == [], "the server"
        assert not (tmp_path / "home/socket").exists()
        again = run("fetch_yts_data.py", *source, env=home, cwd=tmp_path)

    assert process.returncode == exit_code, stderr
    assert "Traceback" not in stderr
    assert again.returncode == 0
    assert "100 movies, 100 with details" in again.stdout


def test_a_killed_run_changes_no_result(new_database, tmp_path: Path):
    """
    After SIGKILL of the main process, no worker is left, and the next run gives equal tables.
    """
    killed_url, calm_url = new_database(), new_database()
    with open_sandbox(SandboxSettings(movies=80, latency_seconds=0.12)) as sandbox:
        arguments = ("--api-url", sandbox.url, "--rate", "0", "--workers", "2")
        process = start("fetch_yts_data.py", *arguments, url=killed_url)
        wait_until(lambda: counted(sandbox)["requests"] >= 40, "requests")
        process.kill()
        process.communicate()
        assert process.returncode == -signal.SIGKILL
        wait_until(lambda: not is_group_alive(process.pid), "the end of all workers")
        call("fetch_yts_data.py", *arguments[:-1], "1", "--threads", "16", url=killed_url)
        call("fetch_yts_data.py", *arguments[:-1], "1", "--threads", "16", url=calm_url)

    with DatabaseManager(killed_url) as killed, DatabaseManager(calm_url) as calm:
        assert table_contents(killed) == table_contents(calm)


def test_promised_functions_work_from_python(
    database_url: URL, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    `save_movie` accepts what `fetch_movie_details` returns; `process_movie_batch` saves by ids.
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
