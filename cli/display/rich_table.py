"""`write_rich_table`: write rows to a terminal as a table that fits its width."""

import sys
from collections.abc import Collection, Sequence

import click
from rich import box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from cli.display.terminal import columns_of, fitted
from cli.display.text import aligned

#: Between two columns.
_GAP = 3


def write_rich_table(
    names: Sequence[str], texts: Sequence[Sequence[str]], right: Collection[str]
) -> None:
    """Write a row of *names*, then *texts*; columns *right* hold numbers."""
    columns = columns_of(sys.stdout)
    widths = _fit_columns([names, *texts], columns)
    if widths is None:
        blocks = [aligned(zip(names, line, strict=True)) for line in texts]
        click.echo(fitted("\n\n".join(blocks), sys.stdout))
        return
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name, width in zip(names, widths, strict=True):
        table.add_column(name, justify="right" if name in right else "left", width=width)
    for line in texts:
        table.add_row(*map(Text, line))
    Console(highlight=False, width=columns).print(table)


def _fit_columns(lines: Sequence[Sequence[str]], columns: int) -> list[int] | None:
    """Return widths that break no word and fit into *columns*; None if there are none."""
    cells = list(zip(*lines, strict=True))
    widest = [max(map(cell_len, column)) for column in cells]
    words = [[word for text in column for word in text.split()] for column in cells]
    least = [max(map(cell_len, column), default=0) for column in words]
    spare = columns - sum(least) - _GAP * (len(least) - 1) - 2
    if spare < 0:
        return None
    wishes = [wish - width for wish, width in zip(widest, least, strict=True)]
    share = min(1, spare / max(1, sum(wishes)))
    return [width + int(share * wish) for width, wish in zip(least, wishes, strict=True)]
