"""
Time totals, saving, searches and the monitor with a million movies, and write million.md.

\b
Examples:
  python -m benchmarks.million                                 a quarter of an hour, 8 GB of disk
  python -m benchmarks.million --movies 50000 --rounds 3       a try: printed, not written
"""

import statistics
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.databases import open_databases
from benchmarks.machine import describe
from benchmarks.markdown import origin, table
from benchmarks.million.fill_catalogue import fill
from benchmarks.million.measures import Figure, Figures, measure
from database.db import get_db_manager

_MILLION = 1_000_000
_ROUNDS = 15
_PAGE = Path(__file__).with_name("million.md")
_HEAD = """\
# {movies:,} movies

Written by `python -m benchmarks.million`; [README.md](../README.md) says how it is measured.
Medians of {rounds} rounds, in which all rows take turns.
"""


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--movies", type=click.IntRange(1000), default=_MILLION, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=_ROUNDS, show_default=True)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="[default: million.md in this folder, with a million movies or more]",
)
def main(movies: int, rounds: int, output: Path | None) -> None:
    """Fill two databases, measure, print the page and write it."""
    with open_databases() as databases, ExitStack() as managers:
        urls = databases.fresh("empty"), databases.fresh("full")
        empty, full = (managers.enter_context(get_db_manager(database_url=url)) for url in urls)
        machine = describe(databases.version())
        click.echo(f"storing {movies:,} movies", err=True)
        fill(urls[1], movies, lambda message: click.echo(message, err=True))
        click.echo(f"measuring, {rounds} rounds", err=True)
        figures = measure(empty, full, rounds)
    today = datetime.now(UTC).date().isoformat()
    head = _HEAD.format(movies=movies, rounds=rounds)
    page = "\n".join([head, table(_COLUMNS, _rows(figures)), origin(today, machine)])
    click.echo(page)
    if output or movies >= _MILLION:
        (output or _PAGE).write_text(page)


_COLUMNS = ["", "ms", "spread"]


def _rows(figures: Figures) -> Iterator[list[str]]:
    for figure in (figures.small_page, figures.large_page):
        yield _row(figure)
    ratio = _median(figures.large_page) / _median(figures.small_page)
    yield ["ratio of the two: full to empty", f"{ratio:.2f}", ""]
    for figure in figures.others:
        yield _row(figure)


def _row(figure: Figure) -> list[str]:
    return [
        figure.title,
        f"{_median(figure):.1f}",
        f"{min(figure.milliseconds):.1f}-{max(figure.milliseconds):.1f}",
    ]


def _median(figure: Figure) -> float:
    return statistics.median(figure.milliseconds)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.million")
