"""
Measure the server over a mirror beside FastAPI and Datasette, and write serve.md.

\b
Examples:
  python -m benchmarks.serve                                  ten minutes
  python -m benchmarks.serve --movies 3000 --rounds 1         a try: printed, not written
  python -m benchmarks.serve --requests 100000 --fetch        also memory, and a fetch beside it
  python -m benchmarks.serve --home ~/movies                  keep the filled database for next time
"""

import tempfile
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from importlib.metadata import version
from pathlib import Path

import click
from sqlalchemy import URL

from benchmarks.machine import describe
from benchmarks.million.fill_catalogue import fill
from benchmarks.serve.beside_fetch import measure_beside
from benchmarks.serve.filled import open_filled, read_postmaster
from benchmarks.serve.measures import Rounds, measure_memory
from benchmarks.serve.reading import read_all
from benchmarks.serve.serve_page import render
from benchmarks.serve.serve_plot import draw
from benchmarks.serve.servers import MOVIES_A_PAGE, open_datasette, open_fastapi, open_ours
from benchmarks.serve.sqlite_export import export_movies
from database.serving.yts_lists import YtsList
from database.serving.yts_reads import read_ids

_MOVIES = 77_000
_ROUNDS = 3
_PEERS = ("fastapi", "uvicorn", "datasette")
_PAGE = Path(__file__).with_name("serve.md")
_PLOT = "plots/serve.png"


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--movies", type=click.IntRange(1000), default=_MOVIES, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=_ROUNDS, show_default=True)
@click.option("--seconds", default=3.0, show_default=True, help="Time of each load.")
@click.option("--requests", default=0, help="Measure memory over that many requests.")
@click.option("--fetch", is_flag=True, help="Measure a fetch at full speed beside the server.")
@click.option(
    "--home",
    type=click.Path(path_type=Path, file_okay=False),
    help="Keep PostgreSQL with the movies in this folder.  [default: a temporary one]",
)
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="[default: serve.md in this folder, with all movies and three rounds]",
)
def main(  # noqa: PLR0917 -- one for each option
    movies: int,
    rounds: int,
    seconds: float,
    requests: int,
    fetch: bool,  # noqa: FBT001
    home: Path | None,
    output: Path | None,
) -> None:
    """Fill a database, measure all servers, print the page and write it."""
    with tempfile.TemporaryDirectory(prefix="serve-") as temporary, ExitStack() as stack:
        folder = Path(temporary)
        # If root starts it, PostgreSQL runs as another user, who must be able to enter.
        folder.chmod(0o711)
        place = home or folder / "home"
        databases, url = stack.enter_context(open_filled(place, "serve", movies, fill, _say))
        machine = describe(databases.version())
        machine["peers"] = ", ".join(f"{name} {version(name)}" for name in _PEERS)
        ids = _read_ids(url)
        pages = len(ids) // MOVIES_A_PAGE
        _say("exporting to SQLite")
        export = folder / "movies.db"
        export_movies(url, export)
        ours = stack.enter_context(open_ours(url, pages))
        servers = [
            ours,
            stack.enter_context(open_fastapi(url, pages)),
            stack.enter_context(open_datasette(export, ids)),
        ]
        _say(f"measuring, {rounds} rounds")
        postmaster = read_postmaster(place)
        figures = Rounds(postmaster, seconds, _say).measure(servers, ids, url, rounds=rounds)
        memory = measure_memory(ours, requests, _say) if requests else []
        beside = measure_beside(databases, folder, rounds, _say) if fetch else None
    if output is None and movies >= _MOVIES and rounds >= _ROUNDS:
        output = _PAGE
    if output:
        draw(figures, output.parent / _PLOT)
    date = datetime.now(UTC).date().isoformat()
    plot = _PLOT if output else ""
    page = render(figures, memory, beside, machine, date=date, movies=len(ids), plot=plot)
    click.echo(page)
    if output:
        output.write_text(page)


def _read_ids(url: URL) -> list[int]:
    """Return all YTS ids in ascending order."""
    return read_all(url, partial(read_ids, wanted=YtsList(is_ascending=True)))[1].tolist()


def _say(message: str) -> None:
    click.echo(message, err=True)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.serve")
