"""`Blocks` and `JsonLines`: each status as a block of plain text or as a line of JSON."""

import sys
from datetime import UTC, datetime

import click

from cli.display.progress_rate import Pace
from cli.display.terminal import fitted
from cli.display.text import printable
from cli.monitor.json_rows import status_line, waiting_line
from cli.monitor.wording import WAITING, as_text
from database.monitoring.status import Status


class Blocks:
    """Writes each status as a block of text, with an empty line between two."""

    def __init__(self, database: str) -> None:
        """Show *database* as the name of the database."""
        self._database = database
        self._is_first = True
        self._last_reason = ""

    def show(self, status: Status, pace: Pace | None) -> None:
        """Write the status."""
        block = fitted(as_text(status, pace, self._database), sys.stdout)
        click.echo(("" if self._is_first else "\n") + block)
        self._is_first, self._last_reason = False, ""

    def wait(self, reason: str) -> None:
        """Write why the status cannot be read; the same reason once."""
        if reason != self._last_reason:
            click.echo(printable(f"{WAITING}: {reason}"))
            self._last_reason = reason


class JsonLines:
    """Writes a JSON object for each status, and for each failed attempt to read it."""

    def show(self, status: Status, pace: Pace | None) -> None:
        """Write the status."""
        click.echo(status_line(status, pace))

    def wait(self, reason: str) -> None:
        """Write why the status cannot be read."""
        click.echo(waiting_line(datetime.now(UTC), reason))
