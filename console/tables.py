"""Rows of any kind on a terminal, as plain text, and as JSON lines."""

import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from console.terminal import is_live
from console.text import one_line

#: Columns that hold numbers.
_RIGHT = {
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
    """Write *rows*, all of the same columns, for a person; nothing where there are none."""
    if not rows:
        return
    if is_live(sys.stdout):
        _write_rich_table(rows)
        return
    names = list(rows[0])
    texts = [names, *([_text(row[name]) for name in names] for row in rows)]
    widths = [
        min(max(len(line[place]) for line in texts), _PLAIN_WIDTH) for place in range(len(names))
    ]
    for line in texts:
        cells = (
            f"{cell:>{width}}" if name in _RIGHT else f"{cell:<{width}}"
            for name, cell, width in zip(names, line, widths, strict=True)
        )
        click.echo("  ".join(cells).rstrip())


def _write_rich_table(rows: Sequence[Row]) -> None:
    from rich import box  # noqa: PLC0415 -- only on a terminal
    from rich.console import Console  # noqa: PLC0415
    from rich.table import Table  # noqa: PLC0415
    from rich.text import Text  # noqa: PLC0415

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in rows[0]:
        is_number = name in _RIGHT
        table.add_column(
            name, justify="right" if is_number else "left", no_wrap=is_number, overflow="fold"
        )
    for row in rows:
        table.add_row(*(Text(_text(value)) for value in row.values()))
    Console(highlight=False).print(table)


def write_json(kind: str, rows: Iterable[Row]) -> None:
    """Write *rows* as JSON lines, each with `message_type` *kind*."""
    for row in rows:
        click.echo(json.dumps({"message_type": kind, **row}, ensure_ascii=False))


def _text(value: Any) -> str:
    return "" if value is None else one_line(str(value))
