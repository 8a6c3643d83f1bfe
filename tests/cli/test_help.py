"""`--help` does not import heavy libraries, and a fetch imports them once."""

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


def test_the_processes_of_a_fetch_import_nothing_again():
    """
    The server that forks them is a copy of the command, made when all modules are imported.
    """
    code = (
        "import sys, cli.fetch.command as command, ingest.backends.processes as processes\n"
        "sys.mark = 'set by the command'\n"
        "options = dict(dry_run=False, database_url='', workers=2, cluster=None)\n"
        "command.start_fork_server(options)\n"
        "with processes.open_processes(1, dict) as workers:\n"
        "    print(workers.submit(eval, '__import__(\"sys\").mark').result())"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=REPO, capture_output=True, text=True, check=True
    )

    assert done.stdout == "set by the command\n"
