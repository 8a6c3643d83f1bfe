"""The project as a user types it: commands in a process of their own, with a clean environment."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from sqlalchemy import URL

REPO = Path(__file__).parents[2]
TIMEOUT_SECONDS = 60

Done = subprocess.CompletedProcess[str]


def run_alembic(url: URL, *arguments: str, cwd: Path = REPO) -> Done:
    """Run the `alembic` command on the database at *url*."""
    return run([str(Path(sys.executable).with_name("alembic")), *arguments], in_database(url), cwd)


def run_python(*arguments: str, environment: Mapping[str, str]) -> Done:
    """Run Python in the repository, as in `python fetch_yts_data.py`."""
    return run([sys.executable, *arguments], environment, REPO)


def run(command: list[str], environment: Mapping[str, str], cwd: Path) -> Done:
    """Run *command* to its end, with our own environment and *environment* on top."""
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )


def in_database(url: URL) -> dict[str, str]:
    """Return the environment that names the database at *url*."""
    return {"DATABASE_URL": url.render_as_string(hide_password=False)}
