"""`check_sort`, `sort_rows`: the options --sort and --desc of lists of movies."""

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

import click

from cli.query.filter_options import GROUPS
from database.models import Movie
from database.search.lookup import SortName

Options = Mapping[str, Any]
Row = TypeVar("Row", bound=tuple[Movie, Any])

_VALUES: dict[SortName, Callable[[Movie], Any]] = {
    "id": lambda movie: movie.external_id,
    "title": lambda movie: movie.title.casefold(),
    "year": lambda movie: movie.year,
    "rating": lambda movie: movie.rating,
    "likes": lambda movie: movie.like_count,
    "uploaded": lambda movie: movie.date_uploaded,
}


def check_sort(options: Options) -> None:
    """
    Refuse options that sort nothing, before the database is opened.

    Raises:
        click.UsageError: the message names the options that do not fit.
    """
    if options.get("desc") and not options["sort"]:
        raise click.UsageError("--desc needs --sort.")
    if options.get("sort") and options.get("by") in GROUPS:
        raise click.UsageError("--sort sorts movies; leave it out where --by makes groups.")
    if options.get("sort") and options.get("table", "movies") != "movies":
        raise click.UsageError("--sort sorts movies; leave it out with another --table.")


def sort_rows(rows: list[Row], options: Options) -> list[Row]:
    """Return *rows*, each of which begins with a movie, as --sort says; unknown values last."""
    if options["sort"] is None:
        return rows
    value = _VALUES[options["sort"]]
    known = [row for row in rows if value(row[0]) is not None]
    unknown = [row for row in rows if value(row[0]) is None]
    return sorted(known, key=lambda row: value(row[0]), reverse=options["desc"]) + unknown
