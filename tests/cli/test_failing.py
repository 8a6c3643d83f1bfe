"""How it fails for somebody who has just arrived: one honest sentence, and no traceback."""

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
from sandbox.api.sandbox_server import Sandbox
from tests.support.commands import HERE, call, environment, run
from tests.support.paths import REPO
from tests.support.programs import run_alembic, run_program

DOORS = ("fetch_yts_data.py", "monitor_progress.py", "query_movies.py", "test_db_connection.py")

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
def test_requirements_that_are_half_installed(library: str, tmp_path: Path) -> None:
    """The sentence names what is missing, and what to type."""
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


@pytest.mark.parametrize("door", DOORS)
def test_an_older_python_is_told_before_anything_breaks(door: str) -> None:
    """Nothing that comes before the check needs a newer one."""
    old = "import sys; sys.version_info = (3, 9, 1); sys.version = '3.9.1 (main)'"
    code = f"{old}; import runpy; runpy.run_path({str(REPO / door)!r}, run_name='__main__')"

    done = run_program([sys.executable, "-c", code], environment(), HERE, from_scratch=True)

    assert done.returncode == 1
    assert done.stderr.startswith("Error: this needs Python 3.11 or newer, and runs on 3.9.1 (")


def test_a_database_from_last_year(database_url: URL, sandbox: Sandbox) -> None:
    """Who only looks says what to do; the next fetch migrates, and then it is as new."""
    assert run_alembic(database_url, "downgrade", "0005").returncode == 0
    looks = [
        call("monitor_progress.py", "--once", url=database_url),
        call("monitor_progress.py", "--max-age", "1h", url=database_url),
        call("query_movies.py", "top", url=database_url),
        call("fetch_yts_data.py", "-n", "--api-url", sandbox.url, url=database_url),
    ]

    for done in looks:
        assert done.returncode == 5, done.stdout
        assert done.stderr.startswith("Error: ")
        assert re.search("test_db_connection.py|alembic upgrade head", done.stderr)
        assert "Traceback" not in done.stderr
    done = run("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", url=database_url)
    assert done.returncode == 0, done.stderr
    assert call("monitor_progress.py", "--max-age", "1h", url=database_url).returncode == 0
    with DatabaseManager(database_url) as db, db.get_session() as session:
        version = session.connection().exec_driver_sql("SELECT version_num FROM alembic_version")
        assert version.scalar_one() == HEAD_REVISION


def test_help_fits_a_narrow_terminal() -> None:
    """Sixty columns are a terminal beside an editor; only what is to be copied is longer."""
    done = run("fetch_yts_data.py", "--help", env={"COLUMNS": "60", "TERM": "dumb"})

    words, _, codes = done.stdout.partition("Exit codes")
    assert [it for it in words.splitlines() if len(it) > 60 and "python " not in it] == []
    assert codes
    assert "\x1b" not in done.stdout


def test_a_network_that_is_not_there(database_url: URL) -> None:
    """A name that nobody knows: the sentence names the URL, and says what to do."""
    source = ("--api-url", "http://no-such-host.invalid/api/v2", "--timeout", "1")
    done = run("fetch_yts_data.py", *source, url=database_url, env={"YTS_RATE": "0"})

    assert done.returncode == 4
    assert done.stderr.startswith("YTS cannot be reached: ")
    assert done.stderr.count("\n") == 1


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of 100 MB of its own."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "mode=755,size=100M", "tmpfs", disk]
    if subprocess.run(command, check=False).returncode != 0:
        pytest.skip("only root can mount a disk, and not everywhere")
    yield disk
    subprocess.run(["umount", "--lazy", disk], check=True)


@pytest.mark.parametrize(
    ("kilobytes_left", "is_new", "said"),
    [(20_000, True, "could not make its data: its disk is full"), (200, False, "disk is full")],
)
def test_a_disk_that_is_full(
    kilobytes_left: int, is_new: bool, said: str, disk: Path, sandbox: Sandbox
) -> None:
    """It says so, with the code for the database's troubles; where there is room, it goes on."""
    fetch = ("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0")
    home = {"YTS_HOME": str(disk / "home")}
    if not is_new:
        assert run(*fetch, "--max-pages", "1", "--no-details", env=home).returncode == 0
    filler = disk / "filler"
    filler.write_bytes(bytes(shutil.disk_usage(disk).free - kilobytes_left * 1024))

    full = run(*fetch, env=home)
    filler.unlink()
    again = run(*fetch, env=home)

    assert full.returncode == 5, full.stdout
    assert said in full.stderr
    assert full.stderr.count("\n") == 1
    assert (again.returncode, again.stderr.count("Error")) == (0, 0)


def test_a_full_disk_ends_the_log_but_not_the_run(database_url: URL, sandbox: Sandbox) -> None:
    """One word on stderr; output that cannot be written ends the run, also in one."""
    fetch = (sys.executable, str(REPO / "fetch_yts_data.py"), "--api-url", sandbox.url)
    told = environment(DATABASE_URL=database_url.render_as_string(False), YTS_RATE="0")

    logging = run_program([*fetch, "--max-pages", "1", "--log-file", "/dev/full"], told, HERE)
    telling = run_program(["sh", "-c", '"$@" --json > /dev/full', "sh", *fetch], told, HERE)

    assert logging.returncode == 0
    assert re.fullmatch(r"No log any more: /dev/full: .*No space left.*\n", logging.stderr)
    assert telling.returncode == 1
    assert telling.stderr == FULL_STDOUT


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
def test_a_full_disk_behind_stdout_is_named(command: tuple[str, ...], mirror_url: URL) -> None:
    """One sentence and exit 1, whatever it is that cannot be written."""
    told = environment(DATABASE_URL=mirror_url.render_as_string(False))
    script, *arguments = command
    words = [sys.executable, str(REPO / script), *arguments]

    done = run_program(["sh", "-c", '"$@" > /dev/full', "sh", *words], told, HERE)

    assert (done.returncode, done.stderr) == (1, FULL_STDOUT)
