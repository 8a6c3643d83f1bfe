"""`show_movies`, `show_groups`, `say_empty`: lists of movies and groups, as table or JSON Lines."""

from collections.abc import Mapping
from typing import Any, cast

from cli.display.tables import write_json, write_table
from cli.query.movie_lookup import is_filtered, say
from cli.query.movie_rows import json_of, row_of
from database.models import Movie
from database.repository import MovieRepository
from database.search.filters import MovieFilter

Options = Mapping[str, Any]


def show_movies(rows: list[tuple[Movie, dict[str, Any]]], options: Options) -> None:
    """Write movies in their order, with additional columns."""
    if options["as_json"]:
        with_posters = options["posters"]
        objects = (
            {**json_of(movie, with_posters=with_posters), **_keys(more)} for movie, more in rows
        )
        write_json("movie", objects)
        return
    if options["posters"]:
        rows = [(movie, {**more, "poster": movie.large_cover_image}) for movie, more in rows]
    write_table([row_of(movie, **more) for movie, more in rows])


def show_groups(
    repository: MovieRepository, options: Options, filters: MovieFilter, by: str, page: slice
) -> None:
    """Write a *page* of the groups of the movies that match *filters*."""
    groups = repository.aggregate(cast("Any", by), filters)[page]
    rows = [
        {by: group.name, "movies": group.movies, "average rating": group.average_rating}
        for group in groups
    ]
    if options["as_json"]:
        write_json(by, map(_keys, rows))
    else:
        write_table(rows)


def _keys(row: dict[str, Any]) -> dict[str, Any]:
    return {name.replace(" ", "_"): value for name, value in row.items()}


def say_empty(message: str, options: Options, *, advice: str = "") -> None:
    """
    Write that a list has no movies: *message*, with advice about filters, or else *advice*.

    With --offset the list may have movies, but not so many.
    """
    if offset := options["offset"]:
        say(f"The list has no movies after the first {offset:,}. Try a smaller --offset.")
    elif is_filtered(options):
        say(f"{message} Try without the filters.")
    else:
        say(f"{message}{advice}")
