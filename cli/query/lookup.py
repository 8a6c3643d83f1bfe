"""The options of a query as calls of `MovieRepository`: filters, one movie, reasons."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

from cli.terminal import fitted
from cli.text import one_line
from database.config import read_database_url
from database.db import DatabaseManager
from database.models import Movie
from database.repository import MovieRepository, SimilarMovie
from database.schema import require_schema
from database.search.filters import MovieFilter
from database.search.query import NothingToSearch
from embeddings.errors import ModelMissing


class NoSuchMovie(Exception):
    """No movie, or more than one, is meant; the argument says so, and which may be."""


_OPEN = (None, None)
_FILTERS = ("genre", "year", "rating", "runtime", "language", "quality")


@contextmanager
def open_repository(database_url: str | None) -> Iterator[MovieRepository]:
    """
    Open the mirror for reading: nothing is migrated, and no fetch kept waiting.

    Raises:
        DatabaseNotReady: it cannot be reached, or has no tables of today.
    """
    url = read_database_url(database_url)
    with (
        DatabaseManager(url, pool_size=1, max_overflow=0, create=False) as db,
        db.get_session() as session,
    ):
        require_schema(session)
        yield MovieRepository(session)


def attach_embedder(repository: MovieRepository) -> None:
    """Give *repository* the embedder of its vectors, or say why it searches by words alone."""
    from embeddings.load import open_embedder  # noqa: PLC0415 -- numpy and a model

    try:
        repository.embedder = open_embedder(repository.session)
    except ModelMissing as error:
        say(f"Searching by words alone: {error}")
        return
    if repository.embedder is None:
        say(
            "Searching by words alone: no vectors have been made yet. Make them with: "
            "python embed_movies.py"
        )


def say(sentence: str) -> None:
    """Write *sentence* to stderr."""
    sys.stderr.write(fitted(sentence, sys.stderr) + "\n")


def read_filters(repository: MovieRepository, options: Mapping[str, Any]) -> MovieFilter:
    """
    Return what the filter options ask for.

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


def is_filtered(options: Mapping[str, Any]) -> bool:
    """Tell whether any filter option was used."""
    return any(options.get(name) for name in _FILTERS)


def one_movie(repository: MovieRepository, reference: str) -> Movie:
    """
    Return the one movie that *reference* names.

    Raises:
        NoSuchMovie: there is none, or there are several; they are listed.
    """
    found = repository.find(reference)
    if len(found) == 1:
        return found[0]
    if found:
        listed = "\n".join(map(_in_a_line, found))
        raise NoSuchMovie(
            f"{reference!r} may be any of these movies; name one by its id:\n{listed}"
        )
    near = ""
    with suppress(NothingToSearch):
        near = "\n".join(_in_a_line(it.movie) for it in repository.search(reference, limit=5))
    hint = f" Do you mean one of these?\n{near}" if near else ""
    raise NoSuchMovie(f"No movie has {reference!r} as its title, YTS id or IMDb code.{hint}")


def _in_a_line(movie: Movie) -> str:
    return f"  {movie.external_id:>6}  {one_line(movie.title)} ({movie.year or 'year unknown'})"


def explain_all(
    repository: MovieRepository, movie: Movie, found: Sequence[SimilarMovie]
) -> list[dict[str, str]]:
    """Return, for each that was found, what it has in common with *movie*, in words."""
    from embeddings.explain_similarity import Why, explain, words_of  # noqa: PLC0415
    from embeddings.load import open_embedder  # noqa: PLC0415 -- numpy and a model
    from embeddings.recipe import MovieText  # noqa: PLC0415

    embedder = open_embedder(repository.session)
    assert embedder is not None  # noqa: S101 -- similar movies were found by its vectors
    texts = [_text_of(it, MovieText) for it in (movie, *(it.movie for it in found))]
    weights = repository.read_weights(sorted(set().union(*map(words_of, texts))))

    def in_words(why: Why) -> dict[str, str]:
        words = ", ".join(one if one == other else f"{one}~{other}" for one, other in why.words)
        years = why.years_apart
        era = None if years is None else "same year" if years == 0 else f"{years} years apart"
        parts = (", ".join(why.genres), ", ".join(why.cast), era, words)
        return {"why": "; ".join(part for part in parts if part)}

    return [in_words(explain(texts[0], it, embedder.model, weights)) for it in texts[1:]]


def _text_of(movie: Movie, make: Any) -> Any:
    return make(
        title=movie.title,
        year=movie.year,
        genres=tuple(genre.name for genre in movie.genres),
        description=movie.description_full or movie.summary or "",
        cast=tuple(link.cast.name for link in movie.cast_links),
    )
