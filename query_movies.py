#!/usr/bin/env python3
"""Query the mirror: search it, list what is new, export: `python query_movies.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

from collections.abc import Callable
from functools import wraps
from typing import Any

import click

from cli.early_start import start_database_early
from cli.options import WRITTEN_FILE, Command, Parsed, exit_codes_epilog
from cli.query.filter_options import (
    GROUPS,
    Since,
    filter_options,
    sort_options,
    split_columns,
)
from ingest.exit_codes import ExitCode
from yts import __version__

ORDERS = ("rating", "likes", "year", "newest", "title")
#: One movie: a title may have several words, with or without quotes.
_REFERENCE = click.argument("reference", nargs=-1, required=True, metavar="TITLE|ID|IMDB|URL")
_SINCE = click.option(
    "--since",
    type=Since(),
    default="24h",
    metavar="24h",
    help="How long ago, or a time such as 2026-11-27 or 2026-11-27T06:30Z.",
)


EPILOG = exit_codes_epilog(
    (
        ExitCode.DONE,
        ExitCode.FATAL,
        ExitCode.USAGE,
        ExitCode.NOT_READY,
        ExitCode.CLOSED_TERMINAL,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
    {
        ExitCode.DONE: "done, also if nothing is found",
        ExitCode.USAGE: "usage, no such movie, or a value that no movie has",
    },
)


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog=EPILOG,
)
@click.version_option(__version__, prog_name="yts-mirror")
def main() -> None:
    """
    Query the mirror of the YTS catalogue. Nothing is written, and a fetch may be running.

    \b
    Examples:
      python query_movies.py search hacker finds out the world is a simulation
      python query_movies.py search "tom hanks" --year 1990-1999 --rating 7+
      python query_movies.py similar "The Matrix" --why
      python query_movies.py recommend "The Matrix" Alien --not "Jurassic Park"
      python query_movies.py show the matrix
      python query_movies.py top --by likes --genre Drama
      python query_movies.py new --since 7d
      python query_movies.py stats
      python query_movies.py export --format csv --output movies.csv

    Rows go to stdout, everything else to stderr; --json writes JSON Lines.
    """


def _command(*, with_filters: bool = True, is_listed: bool = True) -> Callable[..., click.Command]:
    """Make a command that runs the function of the same name in `cli.query.command`."""

    def decorate(declared: Callable[[], None]) -> click.Command:
        @wraps(declared)
        def command(**options: Any) -> None:
            with importing():
                start_database_early(options["database_url"])
                from cli.query.command import run  # noqa: PLC0415 -- for a fast --help

            run(declared.__name__, options)

        decorated: Callable[..., None] = command
        for option in reversed(_options(is_listed=is_listed)):
            decorated = option(decorated)
        if with_filters:
            decorated = filter_options(decorated)
        return main.command(cls=Command, context_settings={"show_default": True})(decorated)

    return decorate


def _options(*, is_listed: bool) -> list[Callable[..., Any]]:
    listed = [
        click.option(
            "--limit", type=click.IntRange(1, 1000), default=20, help="Maximum number of results."
        ),
        click.option(
            "--offset",
            type=click.IntRange(0, 100_000),
            default=0,
            help="Number of results to skip.",
        ),
    ]
    return [
        *(listed if is_listed else ()),
        click.option("--json", "as_json", is_flag=True, help="Write JSON Lines."),
        click.option("--posters", is_flag=True, help="Show the URLs of images."),
        click.option("--database-url", metavar="URL", envvar="DATABASE_URL", show_default=False,
                     help="PostgreSQL of the mirror; DATABASE_URL is the same."),
        click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug."),
    ]  # fmt: skip


@_command()
@click.argument("words", nargs=-1, required=True)
@sort_options
@click.option(
    "--explain", is_flag=True, help="Show each score, and the parts that it is the sum of."
)
def search() -> None:
    """
    Find movies by title, IMDb code, a person's name, or what they are about.

    Exact titles, IMDb codes and names come first, then movies that match the words or the
    meaning. One typing error in a word is forgiven.
    """


@_command()
@_REFERENCE
@click.option(
    "--why", is_flag=True, help="Show what they have in common, and the parts of their scores."
)
def similar() -> None:
    """List the movies most similar to one, by plot, genres, time, cast, rating and likes."""


@_command()
@click.argument("titles", nargs=-1, required=True, metavar="TITLE|ID|IMDB|URL...")
@click.option(
    "--not",
    "unwanted",
    multiple=True,
    metavar="TITLE",
    help="Movies like this one come later; can be repeated.",
)
@click.option("--why", is_flag=True, help="Show what they have in common, and the parts of scores.")
def recommend() -> None:
    """List the movies that are most like all of those that you like, each title in quotes."""


@_command(with_filters=False, is_listed=False)
@_REFERENCE
def show() -> None:
    """Show everything about one movie."""


@_command()
@click.option(
    "--by",
    type=click.Choice([*ORDERS, *GROUPS]),
    default="rating",
    help="Order of the movies, or what to group them by; newest: uploaded last.",
)
@sort_options
def top() -> None:
    """List the first movies in an order, or count the movies of each genre, decade or language."""


@_command()
@_SINCE
def new() -> None:
    """List the movies that this mirror has stored since a time, the last ones first."""


@_command()
@_SINCE
def changed() -> None:
    """
    List the movies that were stored before a time and have changed since, the last ones first.

    Movies that YTS has removed since are among them. Seeds, peers and likes are not a change.
    """


@_command(is_listed=False)
def stats() -> None:
    """Show the catalogue in numbers: movies a month, genres, decades, actors with most movies."""


@_command(is_listed=False)
@click.option(
    "--table",
    type=click.Choice(["movies", "people", "roles", "torrents"]),
    default="movies",
    help="What to write; people, roles and torrents are those of the movies that match.",
)
@click.option(
    "--columns",
    type=Parsed("columns", split_columns),
    metavar="id,title",
    help="Only these columns, in this order; a wrong name lists them all.",
)
@click.option(
    "--added-since",
    type=Since(),
    metavar="24h",
    help="Only movies that this mirror has stored since then, such as 24h or 2026-11-27.",
)
@click.option(
    "--updated-since",
    type=Since(),
    metavar="24h",
    help="Only movies that are new or have changed since then, also those that YTS has removed.",
)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    help="Format.  [default: from the ending of the file's name, else csv]",
)
@click.option("--output", type=WRITTEN_FILE, metavar="FILE", help="File to write; - is stdout.")
@click.option(
    "--excel",
    is_flag=True,
    help="CSV for spreadsheets: no text becomes a formula, and all letters are read.",
)
@sort_options
def export() -> None:
    """
    Write all movies, or those that match the filters, as CSV, JSON Lines or Parquet.

    With --table, write their people, roles or torrents, one in each row.
    """


if __name__ == "__main__":
    main(prog_name="query_movies.py")
