"""
Measure how time and memory grow with the catalogue, and write growth.md with a plot; Linux only.

\b
Examples:
  python -m benchmarks.growth                                 everything: a quarter of an hour
  python -m benchmarks.growth --sizes 500,2000 --rounds 1     a try
  python -m benchmarks.growth --only writer,startup

Results of a run with other sizes, fewer than three rounds or --only are only shown, unless --output
names a folder.
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from benchmarks.api_process import open_api
from benchmarks.databases import Databases, open_databases
from benchmarks.growth import growth_page, startup, writers
from benchmarks.growth.figures import Growth
from benchmarks.growth.mirror_runs import Again, First, Mirror
from benchmarks.machine import describe

_HERE = Path(__file__).parent
_SIZES = (2000, 5000, 20000, 77000)
#: The first three come from the same runs.
_PARTS = ("memory", "linear", "rerun", "writer", "startup")
_LEAST_ROUNDS = 3
_PLOT = "plots/growth.png"


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--sizes", default=",".join(map(str, _SIZES)), show_default=True, help="Numbers of movies."
)
@click.option("--rounds", type=click.IntRange(1), default=_LEAST_ROUNDS, show_default=True)
@click.option("--only", default=",".join(_PARTS), show_default=True, help="Parts to measure.")
@click.option("--output", type=click.Path(path_type=Path), help="[default: this folder]")
def main(sizes: str, rounds: int, only: str, output: Path | None) -> None:
    """Measure, print the page and write it."""
    numbers, parts = _read_sizes(sizes), set(only.split(","))
    if unknown := parts - set(_PARTS):
        raise click.BadParameter(f"there is no part called {', '.join(unknown)}")
    is_full = numbers == _SIZES and rounds >= _LEAST_ROUNDS and parts == set(_PARTS)
    with open_databases() as databases, tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o711)
        growth = Growth(datetime.now(UTC).date().isoformat(), describe(databases.version()))
        _measure(growth, parts, numbers, rounds, databases=databases, folder=Path(scratch))
    if folder := output or (_HERE if is_full else None):
        _save(growth, folder)
    click.echo(growth_page.render(growth))


def _read_sizes(text: str) -> tuple[int, ...]:
    try:
        sizes = tuple(sorted({int(size) for size in text.split(",")}))
    except ValueError as error:
        raise click.BadParameter("use for example 500,2000", param_hint="--sizes") from error
    if sizes[0] < 200:
        raise click.BadParameter("at least 200 movies are needed", param_hint="--sizes")
    return sizes


def _measure(
    growth: Growth,
    parts: set[str],
    sizes: tuple[int, ...],
    rounds: int,
    *,
    databases: Databases,
    folder: Path,
) -> None:
    # The small parts first, while nothing else runs.
    if "startup" in parts:
        growth.helps += startup.measure()
    if "writer" in parts:
        growth.writings += _write(databases, min(writers.MOVIES, sizes[-1]))
    if parts - {"startup", "writer"}:
        for first, agains in _mirror(sizes, rounds, databases, folder):
            growth.firsts.append(first)
            growth.agains += agains


def _write(databases: Databases, movies: int) -> Iterator[writers.Writing]:
    for writing in writers.measure(databases, movies):
        _show(f"{writing.writers} writers: {writing.movies / writing.seconds:,.0f} movies/s")
        yield writing


def _mirror(
    sizes: tuple[int, ...], rounds: int, databases: Databases, folder: Path
) -> Iterator[tuple[First, list[Again]]]:
    _show(f"preparing {sizes[-1]:,} movies")
    with open_api(sizes[-1], with_details=True) as api:
        for _ in range(rounds):
            for size in sizes:
                mirror = Mirror(api, databases, folder, size)
                first = mirror.fill()
                _show(f"{size:7,} movies: {first.seconds:7.2f} s, {first.peaks}")
                yield first, list(mirror.run_again())


def _save(growth: Growth, folder: Path) -> None:
    from benchmarks.growth import growth_plot  # matplotlib, only for the plot

    if growth.firsts:
        growth_plot.draw(growth, folder / _PLOT)
    page = growth_page.render(growth, _PLOT if growth.firsts else "")
    (folder / "growth.md").write_text(page)


def _show(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.growth")
