"""`open_repository`, `read_filters`, `one_movie`: database, filters and movie of a query."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from typing import Any

from cli.display.terminal import fitted
from cli.display.text import one_line
from cli.query.query_errors import NoSuchMovie
from database.config import read_database_url
from database.models import Movie
from database.repository import MovieRepository
from database.schema import require_schema
from database.search.filters import MovieFilter
from database.search.query import NothingToSearch
from database.sessions import Database

_OPEN = (None, None)
_FILTERS = ("genre", "year", "rating", "runtime", "language", "quality")


@contextmanager
def open_repository(database_url: str | None) -> Iterator[MovieRepository]:
    """
    Open the mirror for reading; migrate nothing, and delay no fetch.

    Raises:
        DatabaseNotReady: it cannot be reached, or its tables are not current.
    """
    url = read_database_url(database_url)
    with (
        Database(url, pool_size=1, max_overflow=0, create=False) as db,
        db.get_session() as session,
    ):
        require_schema(session)
        yield MovieRepository(session)


def say(message: str) -> None:
    """Write *message* to stderr."""
    sys.stderr.write(fitted(message, sys.stderr) + "\n")


def read_filters(repository: MovieRepository, options: Mapping[str, Any]) -> MovieFilter:
    """
    Return the filter options as a `MovieFilter`.

    Raises:
        UnknownFilterValue: no movie has that genre, language or quality.
    """
    return MovieFilter(
        genres=repository.resolve_genres(options["genre"]),
        years=options["year"] or _OPEN,
        rating=options["rating"] or _OPEN,
        runtime=options["runtime"] or _OPEN,
        languages=repository.resolve_languages(options["language"]),
        quality=options["quality"] and repository.resolve_quality(options["quality"]),
    )


def read_since(repository: MovieRepository, since: datetime | timedelta) -> datetime:
    """Return the time that an option means; a duration is before now, by the database's clock."""
    return repository.read_clock() - since if isinstance(since, timedelta) else since


def is_filtered(options: Mapping[str, Any]) -> bool:
    """Return whether any filter option was used."""
    return any(options.get(name) for name in _FILTERS)


def one_movie(repository: MovieRepository, reference: str) -> Movie:
    """
    Return the one movie that *reference* names.

    Raises:
        NoSuchMovie: there is no such movie, or several; the message lists them.
    """
    movies = repository.find(reference)
    if len(movies) == 1:
        return movies[0]
    if movies:
        listed = "\n".join(map(_in_a_line, movies))
        raise NoSuchMovie(
            f"{reference!r} may be any of these movies; name one by its id:\n{listed}"
        )
    near = ""
    with suppress(NothingToSearch):
        near = "\n".join(_in_a_line(match.movie) for match in repository.search(reference, limit=5))
    hint = f" Do you mean one of these?\n{near}" if near else ""
    raise NoSuchMovie(f"No movie has {reference!r} as its title, YTS id or IMDb code.{hint}")


def _in_a_line(movie: Movie) -> str:
    return f"  {movie.external_id:>6}  {one_line(movie.title)} ({movie.year or 'year unknown'})"
