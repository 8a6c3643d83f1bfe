"""`test_db_connection.py` as a user meets it: the real command against a real PostgreSQL."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sqlalchemy import URL

from database.check import TABLES
from database.db import DatabaseManager
from tests.support.commands import run
from tests.support.databases import run_sql
from tests.support.paths import REPO

NAMES = sorted(table.name for table in TABLES)


def check(url: URL | None = None, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run the command; None is the embedded server."""
    environment = {"PYTHONIOENCODING": "utf-8", **environment}
    return run("test_db_connection.py", url=url, env=environment)


def named(output: str, mark: str) -> list[str]:
    """Return the names of the tables with this mark."""
    lines = [line.split() for line in output.splitlines()]
    return sorted(line[2] for line in lines if line[:2] == [mark, "table"])


def test_a_good_database_has_a_good_mark_everywhere(db: DatabaseManager, database_url: URL) -> None:
    """
    Connection, versions, each table, migrations; then the totals, with thousands set apart.

    A password that works is not shown either.
    """
    run_sql(database_url, "INSERT INTO genres (name) SELECT n FROM generate_series(1, 1234) n")

    done = check(database_url.set(password="hidden-word"))

    assert (done.returncode, done.stderr) == (0, "")
    assert "(password hidden)" in done.stdout
    assert "hidden-word" not in done.stdout
    assert "❌" not in done.stdout
    assert named(done.stdout, "✅") == NAMES
    marks, _, statistics = done.stdout.partition("Statistics\n")
    for name in "connection", "server", "pgvector", "migrations":
        assert f"✅ {name}  " in marks
    assert "1,234 rows" in marks
    assert "(newest)" in marks
    ends = {len(line) for line in statistics.splitlines() if line[-1].isdigit()}
    assert len(ends) == 1
    assert "1,234" in statistics


def test_an_empty_database_is_made_ready_and_that_is_said(
    new_database: Callable[..., URL],
) -> None:
    """
    As every command does; the second time there is nothing to say.
    """
    url = new_database(is_empty=True)

    first, second = check(url), check(url)

    assert (first.returncode, second.returncode) == (0, 0)
    assert "(newest; the tables were created just now)" in first.stdout
    assert "(newest)" in second.stdout


def test_a_fresh_machine_gets_the_embedded_server(tmp_path: Path) -> None:
    """
    The check is the first thing a new user may type.
    """
    done = check(YTS_HOME=str(tmp_path / "home"))

    said = [line for line in done.stderr.splitlines() if not line.startswith("Waiting for")]
    assert (done.returncode, said) == (0, [])
    assert named(done.stdout, "✅") == NAMES
    assert str(tmp_path) in done.stdout


@pytest.mark.parametrize(
    ("url", "exit_code"),
    [
        ("postgresql://u@127.0.0.1:1/x?password=hidden-word", 5),
        ("mysql://u:hidden-word@127.0.0.1/x", 2),
    ],
)
def test_what_cannot_be_reached_is_one_bad_mark(url: str, exit_code: int) -> None:
    """
    The sentence says what to do, and never the password.
    """
    done = check(DATABASE_URL=url)

    assert (done.returncode, done.stderr) == (exit_code, "")
    assert done.stdout.startswith("❌ connection  ")
    assert done.stdout.count("\n") == 1
    assert "hidden-word" not in done.stdout


def test_tables_that_are_newer_are_left_alone(database_url: URL) -> None:
    """
    An old program says that it is old, instead of guessing; the rest is still looked at.
    """
    run_sql(database_url, "UPDATE alembic_version SET version_num = '9999'")

    done = check(database_url)

    assert done.returncode == 5
    assert named(done.stdout, "✅") == NAMES
    assert "❌ migrations" in done.stdout
    assert "9999" in done.stdout
    assert "Statistics" not in done.stdout


def test_a_lost_table_is_named(database_url: URL) -> None:
    """
    Each table is looked for by itself. A terminal without such letters gets words for marks.
    """
    run_sql(database_url, "DROP TABLE torrents")

    done = check(database_url, PYTHONIOENCODING="ascii")

    assert (done.returncode, done.stderr) == (5, "")
    assert named(done.stdout, "[no]") == ["torrents"]
    assert len(named(done.stdout, "[ok]")) == len(NAMES) - 1


def test_missing_rights_are_a_bad_mark(new_database: Callable[..., URL]) -> None:
    """
    A database that takes no writes, such as a replica, can be no new mirror.
    """
    url = new_database(is_empty=True)
    run_sql(url, f"ALTER DATABASE {url.database} SET default_transaction_read_only = on")

    done = check(url)

    assert (done.returncode, done.stderr) == (5, "")
    assert named(done.stdout, "❌") == NAMES
    assert "❌ migrations" in done.stdout
    assert "read-only" in done.stdout


def test_pytest_takes_the_command_for_no_test() -> None:
    """
    Its name was given; pytest must pass it by even where it is named outright.
    """
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "test_db_connection.py"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == pytest.ExitCode.NO_TESTS_COLLECTED, done.stdout
    assert "error" not in done.stdout
