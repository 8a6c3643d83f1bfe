"""`new` and `changed`: movies that this mirror has stored, or changed, since a time."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from cli.display.text import utc_time
from cli.query.lists import say_empty, show_movies
from cli.query.movie_lookup import read_filters, read_since, say
from database.models import Movie
from database.repository import MovieRepository
from database.search.filters import MovieFilter
from database.search.lookup import SearchOrder

Options = Mapping[str, Any]


def new(repository: MovieRepository, options: Options) -> None:
    """List the movies that this mirror has stored since a time, the last ones first."""
    since = read_since(repository, options["since"])
    filters = replace(read_filters(repository, options), added_since=since)
    movies = _read_page(repository, filters, "added", options)
    show_movies([(movie, _columns(movie, options, is_new=True)) for movie in movies], options)
    if not movies:
        say_empty(f"No movie is new since {_shown(since)}.", options)


def changed(repository: MovieRepository, options: Options) -> None:
    """
    List the movies that were stored before a time and have changed since, the last ones first.

    Movies that YTS has removed since are among them.
    """
    since = read_since(repository, options["since"])
    filters = replace(
        read_filters(repository, options),
        updated_since=since,
        added_before=since,
        with_gone=True,
    )
    movies = _read_page(repository, filters, "updated", options)
    show_movies([(movie, _columns(movie, options, is_new=False)) for movie in movies], options)
    if not movies:
        say_empty(f"No movie has changed since {_shown(since)}.", options)


def _read_page(
    repository: MovieRepository, filters: MovieFilter, order: SearchOrder, options: Options
) -> list[Movie]:
    """Return the movies of a page; report on stderr if there are more."""
    limit, offset = options["limit"], options["offset"]
    movies = repository.paginate(filters, order=order, limit=limit + 1, offset=offset)
    if len(movies) > limit:
        say("There are more movies: see --limit and --offset, or export them.")
    return movies[:limit]


def _columns(movie: Movie, options: Options, *, is_new: bool) -> dict[str, Any]:
    """Return additional columns of a table; JSON has the times already."""
    if options["as_json"]:
        return {}
    if is_new:
        return {"stored": utc_time(movie.created_at)}
    gone = "gone" if movie.gone_since else None
    return {"changed": utc_time(movie.updated_at), "at YTS": gone}


def _shown(since: datetime) -> str:
    return f"{utc_time(since)} UTC"
