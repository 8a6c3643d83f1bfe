"""`run` of query_movies.py: one function for each of its commands, on a repository of movies."""

import sys
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import click

from cli import signals
from cli.display.tables import write_json
from cli.display.terminal import prepare_stdout
from cli.display.text import one_line
from cli.output import reader_may_leave
from cli.preflight import importing
from cli.query.export_command import check_export, export
from cli.query.filter_options import GROUPS
from cli.query.lists import say_empty, show_groups, show_movies
from cli.query.movie_lookup import one_movie, open_repository, read_filters
from cli.query.movie_rows import json_of, write_movie
from cli.query.query_errors import QUERY_ERRORS, UnclearTaste
from cli.query.recent import changed, new
from cli.query.sorting import check_sort, sort_rows
from cli.report_errors import report_errors
from cli.signals import leave_on_signals
from database.models import Movie
from database.repository import FoundMovie, MovieRepository
from database.search.scores import WEIGHTS
from ingest.exit_codes import ExitCode

Options = Mapping[str, Any]


def run(name: str, options: Options) -> None:
    """Run the command *name* with its parsed *options*."""
    prepare_stdout()
    check_sort(options)
    if name == "export":
        check_export(options)
    with (
        reader_may_leave(),
        report_errors("query_movies.py", is_verbose=options["verbose"], known=QUERY_ERRORS),
        leave_on_signals(),
        open_repository(options["database_url"]) as repository,
    ):
        _COMMANDS[name](repository, options)
        sys.stdout.flush()
    signals.exit_now(ExitCode.DONE)


def search(repository: MovieRepository, options: Options) -> None:
    """
    Find movies by title, IMDb code, a person's name, or what they are about.

    Exact titles, IMDb codes and names come first, then movies that match the words or the
    meaning. One typing error in a word is forgiven. With --explain, the parts of each score.
    """
    _load_meaning().attach_embedder(repository)
    query = " ".join(options["words"])
    filters = read_filters(repository, options)
    results = repository.search(
        query, filters=filters, limit=options["limit"], offset=options["offset"]
    )
    rows = [(match.movie, _how_found(match, options)) for match in results]
    show_movies(sort_rows(rows, options), options)
    if not results:
        where = "title, IMDb code, person, words and meaning"
        message = f"Nothing found for {query!r} by {where}."
        near = " or ".join(map(one_line, repository.closest_names(query)))
        advice = f"Did you mean {near}?" if near else "Try other words, in English."
        say_empty(message, options, advice=f" {advice}")


def _how_found(match: FoundMovie, options: Options) -> dict[str, Any]:
    """Return additional columns: how a movie was found, and the parts of its score."""
    found = {"found by": match.how}
    if not options["explain"]:
        return found
    parts = match.parts.explain() if match.parts else {}
    if options["as_json"]:
        return {**found, "score": round(match.score, 4), "parts": parts or None}
    columns = {
        f"{name} x {weight:g}": f"{parts[name]['value']:.2f}" if parts else None
        for name, weight in WEIGHTS.items()
    }
    return {**found, "score": f"{match.score:.3f}", **columns}


def similar(repository: MovieRepository, options: Options) -> None:
    """List the movies most similar to one, by plot, genres, time, cast, rating and likes."""
    movie = one_movie(repository, " ".join(options["reference"]))
    _show_similar(repository, [movie], [], options)


def recommend(repository: MovieRepository, options: Options) -> None:
    """List the movies that are most like all of those that you like, each title in quotes."""
    liked = [one_movie(repository, title) for title in options["titles"]]
    unwanted = [one_movie(repository, title) for title in options["unwanted"]]
    if both := {movie.id for movie in liked} & {movie.id for movie in unwanted}:
        names = ", ".join(repr(movie.title) for movie in liked if movie.id in both)
        raise UnclearTaste(f"{names} is liked and, with --not, not liked. Name it once.")
    _show_similar(repository, liked, unwanted, options)


def _show_similar(
    repository: MovieRepository, liked: list[Movie], unwanted: list[Movie], options: Options
) -> None:
    filters = read_filters(repository, options)
    wanted = options["offset"] + options["limit"]
    results = repository.recommend(liked, unwanted, filters=filters, limit=wanted)
    results = results[options["offset"] :]
    reasons: list[dict[str, Any]] = [{}] * len(results)
    if options["why"]:
        reasons = _load_meaning().explain_all(repository, results, as_json=options["as_json"])
    shown = [
        (result.movie, {"similarity": round(result.similarity, 3), **reason})
        for result, reason in zip(results, reasons, strict=True)
    ]
    if len(liked) > 1:
        for result, (_, more) in zip(results, shown, strict=True):
            more["most like"] = result.like.external_id if options["as_json"] else result.like.title
    show_movies(shown, options)
    if not results:
        titles = ", ".join(repr(movie.title) for movie in liked)
        say_empty(f"No movie is similar to {titles}.", options)


def _load_meaning() -> ModuleType:
    """Import numpy and the code of models, which most commands do not need."""
    with importing():
        from cli.query import meaning  # noqa: PLC0415

    return meaning


def show(repository: MovieRepository, options: Options) -> None:
    """Show everything about one movie."""
    movie = one_movie(repository, " ".join(options["reference"]))
    if options["as_json"]:
        write_json("movie", [json_of(movie, with_posters=options["posters"])])
    else:
        write_movie(movie, with_posters=options["posters"])


def top(repository: MovieRepository, options: Options) -> None:
    """List the first movies in an order, or the number of movies of each group."""
    filters = read_filters(repository, options)
    if options["by"] in GROUPS:
        page = slice(options["offset"], options["offset"] + options["limit"])
        show_groups(repository, options, filters, options["by"], page)
        return
    movies = repository.paginate(
        filters, order=options["by"], limit=options["limit"], offset=options["offset"]
    )
    rows = [(movie, {"likes": movie.like_count}) for movie in movies]
    show_movies(sort_rows(rows, options), options)
    if not movies:
        say_empty("No movie matches.", options)


def stats(repository: MovieRepository, options: Options) -> None:
    """Show the catalogue in numbers: movies a month, genres, decades, actors with most movies."""
    filters = read_filters(repository, options)
    for by, heading in (
        ("month", "Movies by month of upload, the last twelve"),
        ("genre", "Genres"),
        ("decade", "Decades"),
        ("actor", "People in most movies"),
    ):
        if not options["as_json"]:
            click.echo(f"\n{heading}")
        show_groups(repository, options, filters, by, slice(12))


_COMMANDS: dict[str, Callable[[MovieRepository, Options], None]] = {
    "search": search,
    "similar": similar,
    "recommend": recommend,
    "show": show,
    "top": top,
    "new": new,
    "changed": changed,
    "stats": stats,
    "export": export,
}
