"""Starting the real commands."""

import importlib
import os
import subprocess
import sys
from contextlib import ExitStack, chdir
from pathlib import Path
from typing import Any
from unittest import mock

from click.testing import CliRunner
from sqlalchemy import URL

from tests.support.fork_server import start_python
from tests.support.paths import REPO

#: Nobody keeps settings in a file .env here, as developers may where they work.
HERE = Path(__file__).parent
#: Who sleeps wakes at once; the rest is what ending a program takes on a slow and busy machine.
#: Whoever slept on would be left behind after nine seconds, or stay for the whole pause.
SECONDS_TO_WAKE = 8


def environment(**values: str) -> dict[str, str]:
    """Return the environment of a user who has set *values*; one worker and no vectors are fast."""
    fast = {"YTS_WORKERS": "1", "YTS_NO_EMBED": "1"}
    return {**os.environ, "PYTHONPATH": str(REPO), **fast, **values}


def start(script: str, *arguments: str, url: URL | None = None, **options: Any) -> Any:
    """Start a command as a process of its own, in a session of its own."""
    values = {} if url is None else {"DATABASE_URL": url.render_as_string(hide_password=False)}
    return start_python(
        [str(REPO / script), *arguments],
        env=environment(**values, **options.pop("env", {})),
        # Not where a developer may keep settings in a file .env.
        cwd=options.pop("cwd", HERE),
        start_new_session=True,
        **options,
    )


def run(script: str, *arguments: str, url: URL | None = None, **options: Any) -> Any:
    """Run a command to its end and return what it printed, with its exit code."""
    process = start(script, *arguments, url=url, **options)
    stdout, stderr = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def call(script: str, *arguments: str, url: URL | None = None, cwd: Path = HERE, **env: str) -> Any:
    """Run a command as `run` does, but within this process: a second less for each."""
    values = {} if url is None else {"DATABASE_URL": url.render_as_string(hide_password=False)}
    door = importlib.import_module(script.removesuffix(".py"))
    with ExitStack() as stack:
        stack.enter_context(chdir(cwd))
        stack.enter_context(mock.patch.dict(os.environ, environment(**values, **env)))
        stack.enter_context(mock.patch.object(sys, "argv", [script, *arguments]))
        # What a command changes for its process, or how it ends it, is not for this one.
        stack.enter_context(mock.patch("database.connection.env_file._taken", set()))
        stack.enter_context(mock.patch("cli.signals.exit_now", sys.exit))
        stack.enter_context(mock.patch("signal.signal"))
        done = CliRunner().invoke(door.main, arguments, prog_name=script)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def put_python(folder: Path) -> None:
    """Put `python` and `python3` there, which run the Python of the tests."""
    folder.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (folder / name).chmod(0o755)


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
