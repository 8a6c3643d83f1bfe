"""`run_program`, `run_python`, `run_alembic`: run a program to its end, and return its output."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python

ALEMBIC = Path(sys.executable).with_name("alembic")
TIMEOUT_SECONDS = 100

Done = subprocess.CompletedProcess[str]


def run_alembic(url: URL, *arguments: str, cwd: Path = REPO) -> Done:
    """Run the `alembic` command on the database at *url*."""
    # The fork server has imported the models of the repository, and alembic with its own stdout.
    is_fresh = cwd != REPO or "check" in arguments
    command = [sys.executable, str(ALEMBIC), *arguments]
    return run_program(command, in_database(url), cwd, from_scratch=is_fresh)


def run_python(*arguments: str, environment: Mapping[str, str], **options: Any) -> Done:
    """Run Python in the repository, for example with `fetch_yts_data.py`."""
    return run_program([sys.executable, *arguments], environment, REPO, **options)


def run_program(
    command: list[str], environment: Mapping[str, str], cwd: Path, **options: Any
) -> Done:
    """
    Run *command* to its end, in our environment changed by *environment*.

    *options* are those of `start_python`, for a command that begins with our Python.
    """
    env = {**os.environ, **environment}
    if command[0] == sys.executable:
        with start_python(command[1:], env=env, cwd=cwd, **options) as process:
            stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
        return Done(command, process.returncode, stdout, stderr)
    return subprocess.run(
        command,
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def in_database(url: URL) -> dict[str, str]:
    """Return the environment that names the database at *url*."""
    return {"DATABASE_URL": url.render_as_string(hide_password=False)}
