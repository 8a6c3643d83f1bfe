"""Starting the real commands."""

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from tests.conftest import REPO

#: Who sleeps wakes at once; the rest is what ending a program takes on a slow and busy machine.
#: Whoever slept on would be left behind after nine seconds, or stay for the whole pause.
SECONDS_TO_WAKE = 8


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
