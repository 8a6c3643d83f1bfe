"""`write_table` and `write_json`: write rows to stdout, as a table or as JSON Lines."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from cli.display.terminal import is_live
from cli.display.text import one_line
from yts.printable import json_line

#: Columns that hold numbers.
RIGHT = {
    "id",
    "year",
    "rating",
    "likes",
    "similarity",
    "average rating",
    "movies",
    "requests",
    "exit",
}
_PLAIN_WIDTH = 44

Row = Mapping[str, Any]


def write_table(rows: Sequence[Row]) -> None:
    """Write *rows*, all of the same columns, as a table; write nothing if there are none."""
    if not rows:
        return
    names = list(rows[0])
    lines = [[_text(row[name]) for name in names] for row in rows]
    if is_live(sys.stdout):
        from cli.display.rich_table import write_rich_table  # noqa: PLC0415 -- rich, only on a terminal

        write_rich_table(names, lines, RIGHT)
        return
    texts = [names, *lines]
    widths = [
        min(max(len(line[index]) for line in texts), _PLAIN_WIDTH) for index in range(len(names))
    ]
    for line in texts:
        cells = (
            f"{cell:>{width}}" if name in RIGHT else f"{cell:<{width}}"
            for name, cell, width in zip(names, line, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def write_json(kind: str, rows: Iterable[Row]) -> None:
    """Write *rows* as JSON lines, each with `message_type` *kind*."""
    for row in rows:
        click.echo(json_line({"message_type": kind, **row}, is_ascii=False))


def _text(value: Any) -> str:
    return "" if value is None else one_line(str(value))
