"""`write_failures`: the monitor's list of failures, as a table for 80 columns or JSON lines."""

import textwrap
from collections.abc import Iterator
from datetime import datetime

import click

from cli.command_line import suggest_command
from cli.text import aligned, one_line, utc_time
from database.monitoring.status import FailureList, Row
from yts.printable import json_line

NONE = "No failures on record."
#: Fewer columns leave no room for reasons.
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
    rows = [_cells(row, ledger.time) for row in ledger.failures]
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
    for row in ledger.failures:
        message = {"message_type": "failure", **row, "is_due": _is_due(row, ledger.time)}
        yield json_line(message)


def reason_of(row: Row) -> str:
    """Return in a line why it failed."""
    return one_line(row["message"]) or str(row["error_class"])


def _cells(row: Row, now: datetime) -> tuple[str, ...]:
    time = "due now" if _is_due(row, now) else utc_time(_next_attempt(row))
    reason = ": ".join(filter(None, (row["title"], reason_of(row))))
    words = (row["kind"], row["key"], row["stage"], row["attempts"], time, reason)
    return tuple(one_line(str(word)) for word in words)


def _lines(cells: tuple[str, ...], widths: list[int], columns: int) -> Iterator[str]:
    """Yield one row of the table; a long reason goes on below itself."""
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


def _is_due(row: Row, now: datetime) -> bool:
    return _next_attempt(row) <= now


def _next_attempt(row: Row) -> datetime:
    return datetime.fromisoformat(row["next_attempt_at"])
