"""The monitor's display off a terminal: blocks of plain text, or JSON lines."""

import sys
from datetime import UTC, datetime
from types import TracebackType
from typing import Self

import click

from cli.monitor.json_rows import status_line, waiting_line
from cli.monitor.wording import WAITING, as_text
from cli.progress_rate import Pace
from cli.terminal import fitted
from cli.text import printable
from database.monitoring.status import Status


class _Lines:
    """Writes to stdout and leaves nothing open."""

    def __enter__(self) -> Self:
        """Return itself: there is nothing to open."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Do nothing: there is nothing to close."""


class Blocks(_Lines):
    """A block of text for each status, with an empty line between two."""

    def __init__(self, place: str) -> None:
        """Call the database *place*."""
        self._place = place
        self._is_first = True
        self._last_reason = ""

    def show(self, status: Status, pace: Pace | None) -> None:
        """Write the status."""
        block = fitted(as_text(status, pace, self._place), sys.stdout)
        click.echo(("" if self._is_first else "\n") + block)
        self._is_first, self._last_reason = False, ""

    def wait(self, reason: str) -> None:
        """Write why there is no status, once."""
        if reason != self._last_reason:
            click.echo(printable(f"{WAITING}: {reason}"))
            self._last_reason = reason


class JsonLines(_Lines):
    """A JSON object for each status, and for each time that there is none."""

    def show(self, status: Status, pace: Pace | None) -> None:
        """Write the status."""
        click.echo(status_line(status, pace))

    def wait(self, reason: str) -> None:
        """Write why there is no status."""
        click.echo(waiting_line(datetime.now(UTC), reason))
