"""
Draw the monitor for the README: `python -m tests.support.picture docs/monitor.svg`.

The monitor watches a fetch from the sandbox for a minute; the picture is its last look.
"""

import io
import os
import subprocess
import sys
import tempfile
from itertools import islice
from pathlib import Path

from rich.console import Console

from cli.display.progress_rate import ProgressMeter
from cli.monitor.live import WIDEST, Dashboard
from cli.monitor.polling import watch_status
from database.db import DatabaseManager
from database.embedded.server import open_embedded
from database.monitoring.status import Status
from sandbox.api.sandbox_server import open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.paths import REPO

_LINES = 30
_LOOKS = 30
_SECONDS_BETWEEN = 2.0


def main(path: Path) -> None:
    """Run a fetch and write the picture to *path*."""
    with (
        tempfile.TemporaryDirectory() as home,
        open_embedded(Path(home)) as server,
        open_sandbox(SandboxSettings(movies=3000, faults={"bad-json": 0.03})) as sandbox,
        DatabaseManager(server.url) as db,
    ):
        command = [sys.executable, str(REPO / "fetch_yts_data.py"), "-q", "--workers", "3"]
        command += ["--api-url", sandbox.url, "--rate", "40", "--no-embed"]
        url = server.url.render_as_string(hide_password=False)
        fetch = subprocess.Popen(command, env={**os.environ, "DATABASE_URL": url})
        draw(db, path)
        fetch.terminate()
        fetch.wait()


def draw(db: DatabaseManager, path: Path) -> None:
    """Look `_LOOKS` times at the database, and write the picture of the last look."""
    dashboard, meter = Dashboard("postgres@localhost/yts", _SECONDS_BETWEEN), ProgressMeter()
    console = Console(record=True, width=WIDEST, height=_LINES, file=io.StringIO())
    picture = None
    for status in islice(watch_status(db, _SECONDS_BETWEEN), _LOOKS):
        if isinstance(status, Status):
            picture = dashboard.picture(status, meter.record(status), _LINES)
    console.print(picture)
    console.save_svg(str(path), title="python monitor_progress.py")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
