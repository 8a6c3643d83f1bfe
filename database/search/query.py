"""
`search_movies`: movies that a query names, then movies that match its words or its meaning.

If the query has an IMDb code or a URL, only this is searched for. Otherwise, a whole title and a
person's whole name come first. The rest is ranked by reciprocal-rank fusion of two halves: words,
and nearness of vectors.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from database.models import Cast, Movie, MovieCast
from database.search.edit_distance import count_edits
from database.search.filters import MovieFilter
from database.search.keywords import search_by_words
from database.search.nearest import Target, read_nearest
from database.search.query_terms import are_known, read_terms, words_of
from database.search.rank_fusion import BEST, fuse
from database.search.references import LONGEST_TITLE, has_imdb_code, has_page, has_title
from database.vectors.spaces import read_active_space

How = Literal["imdb", "page", "title", "person", "words", "meaning", "both"]
#: The number of results of each half that take part in the fusion.
_DEPTH = 100
_MOST_FOUND = 1000
#: Number of results by words that are compared with the query as a mistyped title.
_LIKELY_TITLES = 20


class NothingToSearch(ValueError):
    """The query has no word; the argument says so."""


@dataclass(frozen=True, slots=True)
class Found:
    """A result of a search."""

    #: `movies.id`.
    row_id: int
    #: How it was found: by a name, by one of the two rankings, or by both.
    how: How
    #: 1 for movies that the query names; lower for the others, which are ranked by it.
    score: float = 1.0


def search_movies(
    session: Session,
    query: str,
    *,
    vector: Sequence[float] | None = None,
    filters: MovieFilter | None = None,
    limit: int = 20,
    offset: int = 0,
) -> list[Found]:
    """
    Return the movies that match *query*, best first; only its first 32 words count.

    *vector* is the *search* vector of the query in the active space; with None, meaning is left
    out. At most 1,000 movies are returned.

    Raises:
        NothingToSearch: *query* has neither letters nor digits.
    """
    query = query.replace("\0", " ")
    filters = filters or MovieFilter()
    wanted = min(limit + offset, _MOST_FOUND)
    results = _read_linked(session, query, filters)
    if results is None:
        results = _search_text(session, query, vector, filters, wanted)
    return list(results.values())[offset:wanted]


def _read_linked(session: Session, query: str, filters: MovieFilter) -> dict[int, Found] | None:
    """Return the movies of IMDb codes or a URL in *query*; None if there are none."""
    conditions: tuple[tuple[How, ColumnElement[bool] | None], ...] = (
        ("imdb", has_imdb_code(query)),
        ("page", has_page(query)),
    )
    for how, condition in conditions:
        if condition is not None:
            rows = _read(session, condition, filters)
            return {row_id: Found(row_id, how) for row_id in rows}
    return None


def _search_text(
    session: Session,
    query: str,
    vector: Sequence[float] | None,
    filters: MovieFilter,
    wanted: int,
) -> dict[int, Found]:
    results: dict[int, Found] = {}
    for how, search in _NAMES:
        for row_id in search(session, query, filters):
            results.setdefault(row_id, Found(row_id, how))
    if not (results or words_of(query)):
        raise NothingToSearch("Nothing to search for: write a title, a name or some words.")
    if len(results) < wanted:
        depth = max(_DEPTH, wanted)
        terms = read_terms(session, query)
        words = search_by_words(session, terms, filters, depth)
        for row_id in _mistyped(session, query, words):
            results.setdefault(row_id, Found(row_id, "title"))
        meaning = search_by_meaning(session, vector if are_known(terms) else None, filters, depth)
        by_words, by_meaning = set(words), set(meaning)
        for row_id, score in fuse(words, meaning).items():
            how = _how(row_id in by_words, row_id in by_meaning)
            results.setdefault(row_id, Found(row_id, how, score / BEST))
    return results


def _how(in_words: bool, in_meaning: bool) -> How:  # noqa: FBT001
    if in_words and in_meaning:
        return "both"
    return "words" if in_words else "meaning"


def search_by_meaning(
    session: Session, vector: Sequence[float] | None, filters: MovieFilter, limit: int
) -> list[int]:
    """Return `movies.id` of the movies whose *search* vectors are nearest to *vector*."""
    space = read_active_space(session)
    if space is None or vector is None:
        return []
    target = Target(space, "search", tuple(vector))
    return [row_id for row_id, _ in read_nearest(session, target, filters, limit)]


def _mistyped(session: Session, query: str, results: Sequence[int]) -> list[int]:
    """Return the movies among the first *results* whose title is the query with typing errors."""
    if len(query) > LONGEST_TITLE:
        return []
    first = results[:_LIKELY_TITLES]
    rows = session.execute(
        select(Movie.id, func.search_key(Movie.title), func.search_key(query)).where(
            Movie.id.in_(first)
        )
    )
    edits = {row_id: _count_errors(typed, key) for row_id, key, typed in rows}
    return sorted(
        (row_id for row_id in first if edits[row_id] is not None),
        key=lambda row_id: edits[row_id] or 0,
    )


def _count_errors(typed: str | None, key: str | None) -> int | None:
    """Return the number of typing errors; None if more than one, or two in long titles."""
    if typed is None or key is None or abs(len(typed) - len(key)) > 1:
        return None
    errors = count_edits(typed, key)
    return errors if errors <= (2 if len(key) >= 10 else 1) else None


def _by_title(session: Session, query: str, filters: MovieFilter) -> list[int]:
    return [] if len(query) > LONGEST_TITLE else _read(session, has_title(query), filters)


def _by_person(session: Session, query: str, filters: MovieFilter) -> list[int]:
    if len(query) > LONGEST_TITLE:
        return []
    people = select(Cast.id).where(func.search_key(Cast.name) == func.search_key(query))
    plays = select(MovieCast.movie_id).where(MovieCast.cast_id.in_(people))
    return _read(session, Movie.id.in_(plays), filters)


_NAMES: tuple[tuple[How, Callable[[Session, str, MovieFilter], list[int]]], ...] = (
    ("title", _by_title),
    ("person", _by_person),
)


def _read(session: Session, condition: ColumnElement[bool], filters: MovieFilter) -> list[int]:
    """Return `movies.id` of the movies that fulfil *condition*, those with most likes first."""
    return list(
        session.scalars(
            select(Movie.id)
            .where(condition, *filters.conditions())
            .order_by(
                func.coalesce(Movie.like_count, 0).desc(),
                func.coalesce(Movie.rating, 0).desc(),
                Movie.external_id,
            )
            .limit(_MOST_FOUND)
        )
    )
