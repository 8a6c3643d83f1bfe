"""Starting the real commands."""

import importlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner
from sqlalchemy import URL

from tests.conftest import REPO


def environment(**values: str) -> dict[str, str]:
    """Return the environment of a user who has set *values*; one worker and no vectors are fast."""
    fast = {"YTS_WORKERS": "1", "YTS_NO_EMBED": "1"}
    return {**os.environ, "PYTHONPATH": str(REPO), **fast, **values}


def start(script: str, *arguments: str, url: URL | None = None, **options: Any) -> Any:
    """Start a door as a process of its own, in a session of its own."""
    values = {} if url is None else {"DATABASE_URL": url.render_as_string(hide_password=False)}
    return subprocess.Popen(
        [sys.executable, str(REPO / script), *arguments],
        env=environment(**values, **options.pop("env", {})),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        **options,
    )


def run(script: str, *arguments: str, url: URL | None = None, **options: Any) -> Any:
    """Run a door to its end and return what it printed, with its exit code."""
    process = start(script, *arguments, url=url, **options)
    stdout, stderr = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def ask(script: str, *arguments: str, url: URL, **options: Any) -> Any:
    """Run a door that only reads as `run` does, but within this process: seconds less."""
    values = {"DATABASE_URL": url.render_as_string(hide_password=False), **options.pop("env", {})}
    door = importlib.import_module(script.removesuffix(".py")).main
    with mock.patch("console.stopping.leave_now", sys.exit):  # It ends the process at once.
        done = CliRunner(env=values).invoke(door, arguments, prog_name=script, **options)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def children_of(folder: Path) -> list[int]:
    """Return the processes that live in *folder*."""
    found = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == folder:
                found.append(int(entry.name))
        except OSError:
            continue
    return found
