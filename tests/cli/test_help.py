"""`--help` and the start of a fetch do not import heavy libraries."""

import subprocess
import sys

import pytest

from tests.support.paths import REPO

COMMANDS = (
    "fetch_yts_data.py",
    "monitor_progress.py",
    "query_movies.py",
    "test_db_connection.py",
    "embed_movies.py",
    "database_shell.py",
)
#: Libraries that are needed only after the options were read.
HEAVY = {
    "aiohttp",
    "alembic",
    "multiprocessing",
    "numpy",
    "psycopg2",
    "pydantic",
    "pydantic_core",
    "requests",
    "rich",
    "sqlalchemy",
    "tenacity",
    "tqdm",
}


@pytest.mark.parametrize("command", COMMANDS)
def test_help_needs_none_of_the_heavy_libraries(command: str):
    """
    Help appears at once, because it does not need the libraries of the work itself.
    """
    done = subprocess.run(
        [sys.executable, "-X", "importtime", command, "--help"],
        cwd=REPO,
        capture_output=True,
        text=True,
        check=True,
    )

    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    assert "click" in imported
    assert not imported & HEAVY


def test_the_fork_server_starts_before_heavy_libraries_are_imported():
    """
    It imports them at the same time as the main process, not afterwards.
    """
    code = "import sys, fetch_yts_data, cli.fetch.fork_server; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )

    assert set(done.stdout.split()) & HEAVY == {"multiprocessing"}
