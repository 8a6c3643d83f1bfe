"""Rows of any kind on a terminal, as plain text, and as JSON lines."""

import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import click

from cli.terminal import columns_of, fitted, is_live
from cli.text import aligned, one_line
from yts.printable import json_line

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
#: Between two columns on a terminal.
_GAP = 3

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

    names = list(rows[0])
    texts = [[_text(row[name]) for name in names] for row in rows]
    columns = columns_of(sys.stdout)
    widths = _fit_columns([names, *texts], columns)
    if widths is None:
        blocks = [aligned(zip(names, line, strict=True)) for line in texts]
        click.echo(fitted("\n\n".join(blocks), sys.stdout))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, width in zip(names, widths, strict=True):
        table.add_column(name, justify="right" if name in _RIGHT else "left", width=width)
    for line in texts:
        table.add_row(*map(Text, line))
    Console(highlight=False, width=columns).print(table)


def _fit_columns(lines: Sequence[Sequence[str]], columns: int) -> list[int] | None:
    """Return widths that break no word and fill no more than *columns*; None if there are none."""
    from rich.cells import cell_len  # noqa: PLC0415

    cells = list(zip(*lines, strict=True))
    widest = [max(map(cell_len, column)) for column in cells]
    words = [[word for text in column for word in text.split()] for column in cells]
    least = [max(map(cell_len, column), default=0) for column in words]
    room = columns - sum(least) - _GAP * (len(least) - 1) - 2
    if room < 0:
        return None
    wishes = [wish - width for wish, width in zip(widest, least, strict=True)]
    share = min(1, room / max(1, sum(wishes)))
    return [width + int(share * wish) for width, wish in zip(least, wishes, strict=True)]


def write_json(kind: str, rows: Iterable[Row]) -> None:
    """Write *rows* as JSON lines, each with `message_type` *kind*."""
    for row in rows:
        click.echo(json_line({"message_type": kind, **row}, is_ascii=False))


def _text(value: Any) -> str:
    return "" if value is None else one_line(str(value))
