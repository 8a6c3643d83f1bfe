"""`watch`: run a monitor, and wait for what it writes."""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from tests.support.paths import REPO
from tests.support.processes.commands import SECONDS_TO_WAKE, environment
from tests.support.processes.fork_server import start_python

#: Much longer than anything takes, also on a busy machine.
PATIENCE_SECONDS = 60


def start_writing(output: int, *options: str, url: URL, **values: str) -> Any:
    """Start a monitor that reads ten times a second; *output* gets both of its streams."""
    values = {"DATABASE_URL": url.render_as_string(hide_password=False), **values}
    return start_python(
        [str(REPO / "monitor_progress.py"), "--interval", "0.1", *options],
        env=environment(**values),
        cwd=REPO,
        stdin=output,
        stdout=output,
        stderr=output,
    )


class Watching:
    """A running monitor, and what it has written so far."""

    def __init__(self, process: Any, output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def written(self) -> str:
        return self._output.read_text()

    def wait_for(self, text: str, start: int = 0) -> int:
        """Wait for *text* in the output after *start*; return the length of all output."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while text not in self.written[start:]:
            assert self.process.poll() is None, self.written
            assert time.monotonic() < deadline, self.written
            time.sleep(0.02)
        return len(self.written)

    def leave(self, number: signal.Signals) -> int:
        """Send the signal; return the exit code, which must come soon."""
        self.process.send_signal(number)
        return self.process.wait(timeout=SECONDS_TO_WAKE)


@contextmanager
def watch(url: URL, output: Path, *options: str) -> Iterator[Watching]:
    """Keep a monitor running that writes to the file *output*."""
    with (
        output.open("wb") as file,
        start_writing(file.fileno(), *options, url=url) as process,
    ):
        try:
            yield Watching(process, output)
        finally:
            process.kill()


def read_until(terminal: int, text: bytes | None) -> bytes:
    """Read a terminal until *text* was read; None means to its end."""
    seen = b""
    while text is None or text not in seen:
        assert select.select([terminal], [], [], PATIENCE_SECONDS)[0], seen
        try:
            part = os.read(terminal, 65536)
        except OSError:  # On Linux: no process has the terminal open any more.
            part = b""
        if not part:
            assert text is None, seen
            break
        seen += part
    return seen
