#!/usr/bin/env python3
"""Query the mirror: search, similar, show, top, stats, export: `python query_movies.py --help`."""

import cli.preflight  # noqa: F401 -- ends the program where something is missing

# isort: split

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import wraps
from typing import TYPE_CHECKING, Any, cast

import click

from cli.options import WRITTEN_FILE, Command, exit_codes_epilog
from cli.query.filter_options import filter_options
from ingest.exit_codes import ExitCode
from yts import __version__

if TYPE_CHECKING:  # Everything heavy is imported when it is needed: `--help` needs none of it.
    from database.models import Movie
    from database.repository import MovieRepository
    from database.search.filters import MovieFilter

Options = dict[str, Any]
_ORDERS = ("rating", "likes", "year", "newest", "title")
_GROUPS = ("genre", "decade", "language")
#: One movie: a title may have several words, quoted or not.
_REFERENCE = click.argument("reference", nargs=-1, required=True, metavar="TITLE|ID|IMDB|URL")


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
      python query_movies.py show the matrix
      python query_movies.py top --by likes --genre Drama
      python query_movies.py stats
      python query_movies.py export --format csv --output movies.csv

    Rows go to stdout, everything else to stderr; --json writes JSON lines.
    """


def _command(
    *,
    with_filters: bool = True,
    is_listed: bool = True,
    check: Callable[[Options], None] = lambda _options: None,
) -> Callable[..., click.Command]:
    """
    Make a command of a function that takes a repository and its options.

    *check* refuses options that contradict each other, before the database is opened.
    """

    def decorate(run: Callable[["MovieRepository", Options], None]) -> click.Command:
        @wraps(run)
        def command(**options: Any) -> None:
            check(options)
            _run(run, options)

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
            "--offset", type=click.IntRange(0, 100_000), default=0, help="Results to skip."
        ),
    ]
    return [
        *(listed if is_listed else ()),
        click.option("--json", "as_json", is_flag=True, help="JSON lines, for programs."),
        click.option("--posters", is_flag=True, help="Show the URLs of images."),
        click.option("--database-url", metavar="URL", envvar="DATABASE_URL", show_default=False,
                     help="PostgreSQL of the mirror; DATABASE_URL is the same."),
        click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug."),
    ]  # fmt: skip


def _run(run: Callable[["MovieRepository", Options], None], options: Options) -> None:
    from cli.errors import report_errors  # noqa: PLC0415
    from cli.signals import leave_on_signals  # noqa: PLC0415
    from cli.terminal import prepare_stdout  # noqa: PLC0415

    prepare_stdout()
    try:
        with (
            report_errors("query_movies.py", is_verbose=options["verbose"]),
            leave_on_signals(),
            _open_repository(options["database_url"]) as repository,
        ):
            run(repository, options)
            sys.stdout.flush()
    except BrokenPipeError:
        # The reader, as `head`, has seen enough; what is still buffered must not fail again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


@contextmanager
def _open_repository(database_url: str | None) -> Iterator["MovieRepository"]:
    from cli.query.lookup import open_repository  # noqa: PLC0415

    with open_repository(database_url) as repository:
        yield repository


@_command()
@click.argument("words", nargs=-1, required=True)
def search(repository: "MovieRepository", options: Options) -> None:
    """
    Find movies by title, IMDb code, a person's name, or what they are about.

    Exact titles, IMDb codes and names come first, then movies that match the words or the
    meaning. One typing error in a word is forgiven.
    """
    from cli.query.lookup import attach_embedder, say  # noqa: PLC0415

    attach_embedder(repository)
    words = " ".join(options["words"])
    filters = _filters(repository, options)
    found = repository.search(
        words, filters=filters, limit=options["limit"], offset=options["offset"]
    )
    _show([(it.movie, {"found by": it.how}) for it in found], options)
    if not found:
        where = "title, IMDb code, person, words and meaning"
        hint = _hint(options) or " Try other words, in English."
        say(f"Nothing found for {words!r} by {where}.{hint}")


@_command()
@_REFERENCE
@click.option("--why", is_flag=True, help="Show what they have in common.")
def similar(repository: "MovieRepository", options: Options) -> None:
    """List the movies that are most similar to one, by plot, genres, time, cast and rating."""
    from cli.query.lookup import explain_all, one_movie  # noqa: PLC0415

    movie = one_movie(repository, " ".join(options["reference"]))
    filters = _filters(repository, options)
    wanted = options["offset"] + options["limit"]
    found = repository.similar(movie, filters=filters, limit=wanted)[options["offset"] :]
    reasons = explain_all(repository, movie, found) if options["why"] else [{}] * len(found)
    shown = [
        (it.movie, {"similarity": round(it.similarity, 3), **reason})
        for it, reason in zip(found, reasons, strict=True)
    ]
    _show(shown, options)
    if not found:
        click.echo(f"No movie is similar to {movie.title!r}.{_hint(options)}", err=True)


@_command(with_filters=False, is_listed=False)
@_REFERENCE
def show(repository: "MovieRepository", options: Options) -> None:
    """Show everything about one movie."""
    from cli.query.lookup import one_movie  # noqa: PLC0415
    from cli.query.rows import json_of, write_movie  # noqa: PLC0415
    from cli.tables import write_json  # noqa: PLC0415

    movie = one_movie(repository, " ".join(options["reference"]))
    if options["as_json"]:
        write_json("movie", [json_of(movie, with_posters=options["posters"])])
    else:
        write_movie(movie, with_posters=options["posters"])


@_command()
@click.option(
    "--by",
    type=click.Choice([*_ORDERS, *_GROUPS]),
    default="rating",
    help="Order of the movies, or what to group them by; newest: uploaded last.",
)
def top(repository: "MovieRepository", options: Options) -> None:
    """List the first movies in an order, or the number of movies of each genre and the like."""
    filters = _filters(repository, options)
    if options["by"] in _GROUPS:
        page = slice(options["offset"], options["offset"] + options["limit"])
        _show_groups(repository, options, filters, options["by"], page)
        return
    movies = repository.paginate(
        filters, order=options["by"], limit=options["limit"], offset=options["offset"]
    )
    _show([(movie, {"likes": movie.like_count}) for movie in movies], options)
    if not movies:
        click.echo(f"No movie matches.{_hint(options)}", err=True)


@_command(is_listed=False)
def stats(repository: "MovieRepository", options: Options) -> None:
    """Show the catalogue in numbers: movies a month, genres, decades, who plays most."""
    filters = _filters(repository, options)
    for by, heading in (
        ("month", "Movies by month of upload, the last twelve"),
        ("genre", "Genres"),
        ("decade", "Decades"),
        ("actor", "Who plays in most movies"),
    ):
        if not options["as_json"]:
            click.echo(f"\n{heading}")
        _show_groups(repository, options, filters, by, slice(12))


def _choose_format(options: Options) -> None:
    from cli.query.export import choose_format  # noqa: PLC0415

    if options["as_json"] and options["kind"] not in {None, "jsonl"}:
        raise click.UsageError(f"--json writes JSON lines, not {options['kind']}; leave out one.")
    try:
        kind = cast("Any", "jsonl" if options["as_json"] else options["kind"])
        options["kind"] = choose_format(kind, options["output"])
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    if options["excel"] and options["kind"] != "csv":
        raise click.UsageError("--excel is for CSV only.")


@_command(is_listed=False, check=_choose_format)
@click.option(
    "--format",
    "kind",
    type=click.Choice(["csv", "jsonl", "parquet"]),
    help="Format.  [default: the one that the file's name stands for, else csv]",
)
@click.option("--output", type=WRITTEN_FILE, metavar="FILE", help="File to write; - is stdout.")
@click.option(
    "--excel",
    is_flag=True,
    help="CSV for spreadsheets: no text becomes a formula, letters of all scripts are read.",
)
def export(repository: "MovieRepository", options: Options) -> None:
    """Write all movies, or those that match the filters, as CSV, JSON lines or Parquet."""
    from cli.output import STDOUT  # noqa: PLC0415
    from cli.query.export import export as write  # noqa: PLC0415

    count = write(
        repository.stream(_filters(repository, options)),
        options["kind"],
        options["output"],
        with_posters=options["posters"],
        for_excel=options["excel"],
    )
    where = "stdout" if options["output"] in {None, STDOUT} else options["output"]
    click.echo(f"{count:,} movies written to {where}.", err=True)


def _filters(repository: "MovieRepository", options: Options) -> "MovieFilter":
    from cli.query.lookup import read_filters  # noqa: PLC0415

    return read_filters(repository, options)


def _show(found: list[tuple["Movie", dict[str, Any]]], options: Options) -> None:
    from cli.query.rows import json_of, row_of  # noqa: PLC0415
    from cli.tables import write_json, write_table  # noqa: PLC0415

    if options["as_json"]:
        with_posters = options["posters"]
        rows = ({**json_of(it, with_posters=with_posters), **_keys(more)} for it, more in found)
        write_json("movie", rows)
        return
    if options["posters"]:
        found = [(it, {**more, "poster": it.large_cover_image}) for it, more in found]
    write_table([row_of(movie, **more) for movie, more in found])


def _show_groups(
    repository: "MovieRepository", options: Options, filters: "MovieFilter", by: str, page: slice
) -> None:
    from cli.tables import write_json, write_table  # noqa: PLC0415

    groups = repository.aggregate(cast("Any", by), filters)[page]
    rows = [
        {by: it.name, "movies": it.movies, "average rating": it.average_rating} for it in groups
    ]
    if options["as_json"]:
        write_json(by, map(_keys, rows))
    else:
        write_table(rows)


def _keys(row: dict[str, Any]) -> dict[str, Any]:
    return {name.replace(" ", "_"): value for name, value in row.items()}


def _hint(options: Options) -> str:
    from cli.query.lookup import is_filtered  # noqa: PLC0415

    return " Try without the filters." if is_filtered(options) else ""


if __name__ == "__main__":
    main(prog_name="query_movies.py")
