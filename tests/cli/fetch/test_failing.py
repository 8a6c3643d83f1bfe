"""Commands that cannot work here end with one message and no traceback."""

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.schema import HEAD_REVISION
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.paths import REPO
from tests.support.processes.commands import HERE, call, environment, run
from tests.support.processes.fork_server import start_python
from tests.support.processes.programs import run_alembic, run_program

COMMANDS = ("fetch_yts_data.py", "monitor_progress.py", "query_movies.py", "test_db_connection.py")

FULL_STDOUT = "Error: the system refuses (stdout: No space left on device). What was saved stays.\n"


def run_without(library: str, script: str, *arguments: str, **values: str) -> Any:
    """Run a command where *library* is not installed."""
    code = (
        "import runpy, sys\n"
        "class Missing:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] == {library!r}:\n"
        f"            raise ModuleNotFoundError(f'No module named {{name!r}}', name={library!r})\n"
        "sys.meta_path.insert(0, Missing())\n"
        f"sys.argv[:] = [{script!r}, *{arguments!r}]\n"
        f"runpy.run_path({str(REPO / script)!r}, run_name='__main__')\n"
    )
    return run_program([sys.executable, "-c", code], environment(**values), HERE, from_scratch=True)


@pytest.mark.parametrize("library", ["sqlalchemy", "rich", "pydantic"])
def test_a_missing_library_is_named(library: str, tmp_path: Path) -> None:
    """The message names the library and the command that installs it."""
    script, *arguments = {
        "sqlalchemy": ("monitor_progress.py", "--once"),
        "rich": ("query_movies.py", "top"),
        "pydantic": ("fetch_yts_data.py", "--sandbox"),
    }[library]

    done = run_without(library, script, *arguments, YTS_HOME=str(tmp_path / "home"))

    if library == "rich" and done.returncode != 1:
        return  # Off a terminal it is not needed.
    assert done.returncode == 1
    assert done.stderr.startswith(f"Error: {library} is not installed. Install what is needed with")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("script", COMMANDS)
def test_an_older_python_is_refused(script: str) -> None:
    """The check comes before all code that needs a newer Python."""
    old = "import sys; sys.version_info = (3, 9, 1); sys.version = '3.9.1 (main)'"
    code = f"{old}; import runpy; runpy.run_path({str(REPO / script)!r}, run_name='__main__')"

    done = run_program([sys.executable, "-c", code], environment(), HERE, from_scratch=True)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: this needs Python 3.11 or newer, and runs on 3.9.1 (")


def test_the_next_fetch_migrates_an_older_schema(database_url: URL) -> None:
    """Commands that only read say what to do; after the next fetch, they work."""
    assert run_alembic(database_url, "downgrade", "0005").returncode == 0
    readers = [
        call("monitor_progress.py", "--once", url=database_url),
        call("monitor_progress.py", "--max-age", "1h", url=database_url),
        call("query_movies.py", "top", url=database_url),
        call("fetch_yts_data.py", "-n", "--sandbox", url=database_url),
    ]

    for done in readers:
        assert done.returncode == 5, done.stdout
        assert done.stderr.startswith("Error: ")
        assert re.search("test_db_connection.py|alembic upgrade head", done.stderr)
        assert "Traceback" not in done.stderr
    with open_sandbox(SandboxSettings(movies=20)) as sandbox:
        done = call("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", url=database_url)
    assert done.returncode == 0, done.stderr
    assert call("monitor_progress.py", "--max-age", "1h", url=database_url).returncode == 0
    with DatabaseManager(database_url) as db, db.get_session() as session:
        version = session.connection().exec_driver_sql("SELECT version_num FROM alembic_version")
        assert version.scalar_one() == HEAD_REVISION


def test_help_fits_a_narrow_terminal() -> None:
    """The text fits 60 columns; only commands that the user can copy are longer."""
    done = run("fetch_yts_data.py", "--help", env={"COLUMNS": "60", "TERM": "dumb"})

    text, _, codes = done.stdout.partition("Exit codes")
    assert [line for line in text.splitlines() if len(line) > 60 and "python " not in line] == []
    assert codes
    assert "\x1b" not in done.stdout


def test_a_host_without_an_address_is_reported(database_url: URL) -> None:
    """The host name of the URL cannot be resolved: one message, exit code 4."""
    source = ("--api-url", "http://no-such-host.invalid/api/v2", "--timeout", "1")
    done = run("fetch_yts_data.py", *source, url=database_url, env={"YTS_RATE": "0"})

    assert done.returncode == 4
    assert done.stderr.startswith("YTS cannot be reached: ")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """Mount a disk of 100 MB, and return its path."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "mode=755,size=100M", "tmpfs", disk]
    if subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root can mount a disk, and not everywhere")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize(
    ("kilobytes_left", "is_new", "message"),
    [(20_000, True, "could not make its data: its disk is full"), (200, False, "disk is full")],
)
def test_a_full_disk_is_reported_and_the_next_run_continues(
    kilobytes_left: int, is_new: bool, message: str, disk: Path, sandbox: Sandbox
) -> None:
    """A full disk is one message and exit code 5; a run with enough space succeeds again."""
    fetch = ("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", "--no-details")
    home = {"YTS_HOME": str(disk / "home")}
    if not is_new:
        assert run(*fetch, "--max-pages", "1", env=home).returncode == 0
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - kilobytes_left * 1024))

    full = run(*fetch, env=home)
    filler.unlink()
    again = run(*fetch, env=home)

    assert full.returncode == 5, full.stdout
    assert message in full.stderr
    assert full.stderr.count("\n") == 1
    assert (again.returncode, again.stderr.count("Error")) == (0, 0)


def test_a_full_disk_ends_the_log_but_not_the_run(database_url: URL, sandbox: Sandbox) -> None:
    """A log that cannot be written is one warning; output that cannot be written ends the run."""
    fetch = (sys.executable, str(REPO / "fetch_yts_data.py"), "--api-url", sandbox.url)
    values = environment(DATABASE_URL=database_url.render_as_string(False), YTS_RATE="0")
    log = ("--max-pages", "1", "--no-details", "--log-file", "/dev/full")

    with_log = run_program([*fetch, *log], values, HERE)
    with_json = run_with_full_stdout(*fetch[1:], "--json", values=values)

    assert with_log.returncode == 0
    assert re.fullmatch(r"No log any more: /dev/full: .*No space left.*\n", with_log.stderr)
    assert with_json == (1, FULL_STDOUT)


def run_with_full_stdout(*command: str, values: dict[str, str]) -> tuple[int, str]:
    """Run Python with *command* and a full disk as stdout; return its exit code and stderr."""
    with Path("/dev/full").open("w") as full:
        process = start_python(command, env=values, cwd=HERE, stdout=full.fileno())
        _, stderr = process.communicate(timeout=60)
    return process.returncode, str(stderr)


@pytest.mark.parametrize(
    "command",
    [
        ("query_movies.py", "top"),
        ("query_movies.py", "top", "--json"),
        ("query_movies.py", "stats"),
        ("query_movies.py", "export"),
        ("monitor_progress.py", "--once"),
        ("monitor_progress.py", "--once", "--json"),
        ("monitor_progress.py", "--history"),
        ("monitor_progress.py", "--prometheus", "-"),
        ("fetch_yts_data.py", "--show-config"),
        ("test_db_connection.py",),
    ],
    ids=" ".join,
)
def test_a_full_disk_behind_stdout_is_reported(command: tuple[str, ...], mirror_url: URL) -> None:
    """Output that cannot be written is one message and exit code 1."""
    values = environment(DATABASE_URL=mirror_url.render_as_string(False))
    script, *arguments = command

    result = run_with_full_stdout(str(REPO / script), *arguments, values=values)

    assert result == (1, FULL_STDOUT)
