"""`start`, `run`, `call`: the commands as processes, or in the process of the test."""

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

from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python

#: The working directory of the commands. It has no file .env, which developers may have elsewhere.
HERE = REPO / "tests" / "support"
#: With these patches, a fetch leaves threads that do not end behind after a minute instead of nine
#: seconds, so that a busy machine can be distinguished from a thread that was not woken.
PATIENT = {"cli.signals.STOP_SECONDS": 60.0, "ingest.pool.DRAIN_SECONDS": 60.0}
#: A signal wakes threads that sleep; the rest of this time is for a slow and busy machine.
SECONDS_TO_WAKE = 25


def environment(**values: str) -> dict[str, str]:
    """Return our environment with *values*; the defaults, one worker and no vectors, are fast."""
    fast = {"YTS_WORKERS": "1", "YTS_NO_EMBED": "1"}
    return {**os.environ, "PYTHONPATH": str(REPO), **fast, **values}


def start(script: str, *arguments: str, url: URL | None = None, **options: Any) -> Any:
    """Start a command as a process with a session of its own; *options*: see `start_python`."""
    values = {} if url is None else {"DATABASE_URL": url.render_as_string(hide_password=False)}
    return start_python(
        [str(REPO / script), *arguments],
        env=environment(**values, **options.pop("env", {})),
        cwd=options.pop("cwd", HERE),
        start_new_session=True,
        **options,
    )


def run(script: str, *arguments: str, url: URL | None = None, **options: Any) -> Any:
    """Run a command as a process to its end; return its output and exit code."""
    process = start(script, *arguments, url=url, **options)
    stdout, stderr = process.communicate(timeout=100)
    return subprocess.CompletedProcess(process.args, process.returncode, stdout, stderr)


def call(script: str, *arguments: str, url: URL | None = None, cwd: Path = HERE, **env: str) -> Any:
    """Run a command in this process, which costs much less than `run`; return the same."""
    values = {} if url is None else {"DATABASE_URL": url.render_as_string(hide_password=False)}
    command = importlib.import_module(script.removesuffix(".py"))
    with ExitStack() as stack:
        stack.enter_context(chdir(cwd))
        stack.enter_context(mock.patch.dict(os.environ, environment(**values, **env)))
        stack.enter_context(mock.patch.object(sys, "argv", [script, *arguments]))
        # A command changes its process, and may end it. Here it must do neither.
        stack.enter_context(mock.patch("database.connection.env_file._taken", set()))
        stack.enter_context(mock.patch("cli.signals.exit_now", sys.exit))
        stack.enter_context(mock.patch("signal.signal"))
        done = CliRunner().invoke(command.main, arguments, prog_name=script)
    if done.exception and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(arguments, done.exit_code, done.stdout, done.stderr)


def put_python(folder: Path) -> None:
    """Create `python` and `python3` in *folder*, which run the Python of the tests."""
    folder.mkdir(exist_ok=True)
    for name in ("python", "python3"):
        (folder / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
        (folder / name).chmod(0o755)


def children_of(folder: Path) -> list[int]:
    """Return the ids of the processes whose working directory is *folder*."""
    process_ids = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and (entry / "cwd").resolve() == folder:
                process_ids.append(int(entry.name))
        except OSError:
            continue
    return process_ids
