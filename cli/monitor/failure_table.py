"""`write_failures`: all failures on record, as a table for 80 columns or as JSON lines."""

import textwrap
from collections.abc import Iterator
from datetime import datetime

import click

from cli.command_line import suggest_command
from cli.display.text import aligned, one_line, utc_time
from cli.monitor.json_rows import failure_line
from database.bookkeeping.failures import TitledFailure
from database.monitoring.status import FailureList
from web.display.wording import failure_reason

NONE = "No failures on record."
#: Minimum width of the table: with less, there is no space for reasons.
NARROWEST = 70

_COLUMNS = ("kind", "key", "stage", "tries", "next attempt", "reason")


def write_failures(ledger: FailureList, columns: int, *, as_json: bool) -> None:
    """Write the failures, as a table for a terminal of *columns* columns or as JSON lines."""
    for line in _as_json_lines(ledger) if as_json else _as_table(ledger, columns):
        click.echo(line)


def _as_table(ledger: FailureList, columns: int) -> Iterator[str]:
    if not ledger.failures:
        yield NONE
        return
    rows = [_cells(titled, ledger.time) for titled in ledger.failures]
    due = sum(cells[4] == "due now" for cells in rows)
    count = "1 failure" if len(rows) == 1 else f"{len(rows):,} failures"
    yield f"{count}, {due:,} due now; times in UTC"
    widths = [max(map(len, column)) for column in zip(_COLUMNS, *rows, strict=True)][:-1]
    for cells in (_COLUMNS, *rows):
        yield from _lines(cells, widths, max(columns, NARROWEST))
    yield "Next:"
    practice = ["--sandbox"] if ledger.source == "sandbox" else []
    retry = suggest_command("fetch_yts_data.py", "--retry-failed", *practice)
    yield aligned([("retry what is due", retry)])


def _as_json_lines(ledger: FailureList) -> Iterator[str]:
    for titled in ledger.failures:
        yield failure_line(titled, ledger.time)


def _cells(titled: TitledFailure, now: datetime) -> tuple[str, ...]:
    failure, title = titled
    time = "due now" if failure.is_due(now) else utc_time(failure.next_attempt_at)
    reason = ": ".join(filter(None, (title, failure_reason(failure))))
    values = (failure.kind, failure.key, failure.stage, failure.attempts, time, reason)
    return tuple(one_line(str(value)) for value in values)


def _lines(cells: tuple[str, ...], widths: list[int], columns: int) -> Iterator[str]:
    """Yield the lines of one row of the table; a long reason continues on the next line."""
    kind, key, stage, tries, time = (
        f"{cell:>{width}}" if name == "tries" else f"{cell:<{width}}"
        for name, cell, width in zip(_COLUMNS, cells, widths, strict=False)
    )
    head = "  ".join((kind, key, stage, tries, time, ""))
    yield from textwrap.wrap(
        cells[-1],
        columns,
        initial_indent=head,
        subsequent_indent=" " * len(head),
        break_long_words=False,
        break_on_hyphens=False,
    )
