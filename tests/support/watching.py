"""Looking over the shoulder of a monitor that is running."""

import os
import select
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from tests.support.commands import environment
from tests.support.fork_server import start_python
from tests.support.paths import REPO

#: Far longer than anything takes; the machine may be busy.
PATIENCE_SECONDS = 20


def start_writing(output: int, *options: str, url: URL, **values: str) -> Any:
    """Start a monitor that looks ten times a second and writes everything to this descriptor."""
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
    """A monitor that is running, and what it has written so far."""

    def __init__(self, process: Any, output: Path) -> None:
        self.process = process
        self._output = output

    @property
    def written(self) -> str:
        return self._output.read_text()

    def wait_for(self, words: str, start: int = 0) -> int:
        """Wait until *words* were written after *start*; return how much was written."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while words not in self.written[start:]:
            assert self.process.poll() is None, self.written
            assert time.monotonic() < deadline, self.written
            time.sleep(0.02)
        return len(self.written)

    def leave(self, number: signal.Signals) -> int:
        """Send the signal; return the exit code, which must come within two seconds."""
        self.process.send_signal(number)
        return self.process.wait(timeout=8)  # seconds: the tests share two cores


@contextmanager
def watch(url: URL, output: Path, *options: str) -> Iterator[Watching]:
    """Keep a monitor running."""
    with (
        output.open("wb") as file,
        start_writing(file.fileno(), *options, url=url) as process,
    ):
        try:
            yield Watching(process, output)
        finally:
            process.kill()


def read_until(terminal: int, words: bytes | None) -> bytes:
    """Read a terminal up to these words, or to its end."""
    seen = b""
    while words is None or words not in seen:
        assert select.select([terminal], [], [], PATIENCE_SECONDS)[0], seen
        try:
            part = os.read(terminal, 65536)
        except OSError:  # So Linux says that nobody has the terminal open any more.
            part = b""
        if not part:
            assert words is None, seen
            break
        seen += part
    return seen
