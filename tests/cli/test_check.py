"""`test_db_connection.py`: what it reports of good, empty, damaged and missing databases."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.monitoring.prepare_and_check import TABLES
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.commands import call, run

NAMES = sorted(table.name for table in TABLES)


def check(url: URL | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command; without a URL, it uses the embedded server."""
    return call("test_db_connection.py", url=url, **environment)


def tables_with(mark: str, output: str) -> list[str]:
    """Return the names of the tables with this mark in *output*."""
    lines = [line.split() for line in output.splitlines()]
    return sorted(line[2] for line in lines if line[:2] == [mark, "table"])


def test_a_good_database_has_only_good_marks(db: DatabaseManager, database_url: URL) -> None:
    """
    There is one mark for connection, versions, each table and migrations, then the statistics.

    Numbers have separators of thousands. The password is not shown.
    """
    run_sql(database_url, "INSERT INTO genres (name) SELECT n FROM generate_series(1, 1234) n")

    done = check(database_url.set(password="hidden-word"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "(password hidden)" in done.stdout
    assert "hidden-word" not in done.stdout
    assert "❌" not in done.stdout
    assert tables_with("✅", done.stdout) == NAMES
    marks, _, statistics = done.stdout.partition("Statistics\n")
    for name in "connection", "server", "pgvector", "migrations":
        assert f"✅ {name}  " in marks
    assert "1,234 rows" in marks
    assert "(newest)" in marks
    ends = {len(line) for line in statistics.splitlines() if line[-1].isdigit()}
    assert len(ends) == 1
    assert "1,234" in statistics


def test_an_empty_database_gets_its_tables_and_this_is_reported(
    new_database: Callable[..., URL],
) -> None:
    """
    The first check creates the tables and says so. The second one has nothing to report.
    """
    url = new_database(is_empty=True)

    first, second = check(url), check(url)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "(newest; the tables were created just now)" in first.stdout
    assert "(newest)" in second.stdout


def test_a_fresh_machine_gets_the_embedded_server(tmp_path: Path) -> None:
    """
    The check may be the first command that a user runs.
    """
    done = run("test_db_connection.py", env={"YTS_HOME": str(tmp_path / "home")})

    messages = [line for line in done.stderr.splitlines() if not line.startswith("Waiting for")]
    assert (done.returncode, messages) == (0, [])
    assert tables_with("✅", done.stdout) == NAMES
    assert str(tmp_path) in done.stdout


@pytest.mark.parametrize(
    ("url", "exit_code"),
    [
        ("postgresql://u@127.0.0.1:1/x?password=hidden-word", 5),
        ("mysql://u:hidden-word@127.0.0.1/x", 2),
    ],
)
def test_a_database_that_cannot_be_reached_is_one_bad_mark(url: str, exit_code: int) -> None:
    """
    The message does not contain the password.
    """
    done = check(DATABASE_URL=url)

    assert (done.returncode, done.stderr) == (exit_code, "")
    assert done.stdout.startswith("❌ connection  ")
    assert done.stdout.count("\n") == 1
    assert "hidden-word" not in done.stdout


def test_a_newer_schema_is_reported_and_not_changed(database_url: URL) -> None:
    """
    A program that is older than the schema says so. It still checks the tables.
    """
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")

    done = check(database_url)

    assert done.returncode == 5
    assert tables_with("✅", done.stdout) == NAMES
    assert "❌ migrations" in done.stdout
    assert "9999" in done.stdout
    assert "Statistics" not in done.stdout


def test_a_missing_table_is_named(database_url: URL) -> None:
    """
    Each table has its own mark. Output that is ASCII has words as marks.
    """
    run_sql(database_url, "DROP TABLE torrents")

    done = run("test_db_connection.py", url=database_url, env={"PYTHONIOENCODING": "ascii"})

    assert (done.returncode, done.stderr) == (5, "")
    assert tables_with("[no]", done.stdout) == ["torrents"]
    assert len(tables_with("[ok]", done.stdout)) == len(NAMES) - 1


def test_a_read_only_database_has_bad_marks(new_database: Callable[..., URL]) -> None:
    """
    An empty database that refuses writes, such as a replica, cannot become a mirror.
    """
    url = new_database(is_empty=True)
    run_sql(url, f"ALTER DATABASE {url.database} SET default_transaction_read_only = on")

    done = check(url)

    assert (done.returncode, done.stderr) == (5, "")
    assert tables_with("❌", done.stdout) == NAMES
    assert "❌ migrations" in done.stdout
    assert "read-only" in done.stdout


def test_pytest_does_not_collect_the_command() -> None:
    """
    Its name looks like that of a test module. pytest omits it, also if the name is an argument.
    """
    options = ("--noconftest", "--collect-only", "-q")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *options, "test_db_connection.py"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
    assert "error" not in done.stdout
