"""
`search_movies`: one pipeline from a query to ranked movies.

An IMDb code or a URL finds its movie only. Otherwise, four sources name candidates: names, words,
facets such as years and genres, and nearness of vectors. One score ranks all of them.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import ColumnElement, func, or_, select
from sqlalchemy.orm import Session

from database.models import Movie
from database.search.filters import MovieFilter
from database.search.keywords import search_by_facets, search_by_words
from database.search.names import Names, find_names
from database.search.nearest import Target, read_nearest
from database.search.query_terms import are_known, read_terms
from database.search.query_words import read_query_words, words_of
from database.search.references import LONGEST_TITLE, has_imdb_code, has_page
from database.search.scores import Score, order_of_words, read_scores
from database.vectors.spaces import read_active_space

How = Literal["imdb", "page", "title", "person", "words", "meaning", "both"]
#: The number of movies that words, facets and vectors each contribute to the ranking.
_DEPTH = 100
_MOST_FOUND = 1000
#: If no movie has this share of the words, or this cosine, nothing matches; see
#: docs/decisions/searching/search-floor.md.
_LEAST_WORDS, _LEAST_MEANING = 0.15, 0.25
_UNWANTED = re.compile(r"(?<=\s)-(?=\w\w)(\S+)")


class NothingToSearch(ValueError):
    """The query has no word; the argument says so."""


@dataclass(frozen=True, slots=True)
class Found:
    """A result of a search."""

    #: `movies.id`.
    row_id: int
    #: What of the movie the query matches; both: words and meaning.
    how: How
    #: 1 for movies that the query names as a whole; lower for the others, which are ranked by it.
    score: float = 1.0
    #: None for an IMDb code or a URL.
    parts: Score | None = None


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
        # Words and vectors rarely name the same movies.
        depth = max(_DEPTH, wanted // 2) if vector else max(_DEPTH, wanted)
        results = _search_text(session, query, vector, filters, depth)
    return results[offset:wanted]


def _read_linked(session: Session, query: str, filters: MovieFilter) -> list[Found] | None:
    """Return the movies of IMDb codes or a URL in *query*; None if there are none."""
    conditions: tuple[tuple[How, ColumnElement[bool] | None], ...] = (
        ("imdb", has_imdb_code(query)),
        ("page", has_page(query)),
    )
    for how, condition in conditions:
        if condition is not None:
            movies = select(Movie.id).where(condition, *filters.conditions())
            movies = movies.order_by(Movie.like_count.desc().nulls_last(), Movie.external_id)
            return [Found(row_id, how) for row_id in session.scalars(movies.limit(_MOST_FOUND))]
    return None


def _search_text(
    session: Session,
    query: str,
    vector: Sequence[float] | None,
    filters: MovieFilter,
    depth: int,
) -> list[Found]:
    unwanted = words_of(" ".join(_UNWANTED.findall(query)))
    query = _UNWANTED.sub("", query)
    words = read_query_words(session, query)
    names = find_names(session, query, words, filters) if len(query) <= LONGEST_TITLE else Names()
    if not (names or words.words):
        raise NothingToSearch("Nothing to search for: write a title, a name or some words.")
    terms = read_terms(session, words)
    target, nearest = _read_near(session, vector, filters, depth, is_known=are_known(terms))
    worded = search_by_words(session, terms, filters, order_of_words(terms), depth)
    listed = search_by_facets(session, terms, filters, depth)
    near = {row_id for row_id, _ in nearest}
    candidates = {*names.by_title, *names.by_person, *worded, *listed, *near}
    candidates -= _read_having(session, unwanted, candidates)
    scores = read_scores(session, candidates, query, terms, names=names, target=target)
    return _rank(scores, names, near) if any(map(_is_match, scores.values())) else []


def _is_match(parts: Score) -> bool:
    return parts.words >= _LEAST_WORDS or parts.meaning >= _LEAST_MEANING


def _read_having(session: Session, words: Sequence[str], row_ids: set[int]) -> set[int]:
    """Return those of *row_ids* whose movies have any of *words*."""
    if not words:
        return set()
    has = Movie.search_vector.bool_op("@@")
    unwanted = [
        has(func.plainto_tsquery(language, func.fold_accents(word)))
        for word in words
        for language in ("simple", "english")
    ]
    return set(session.scalars(select(Movie.id).where(Movie.id.in_(row_ids), or_(*unwanted))))


def _read_near(
    session: Session,
    vector: Sequence[float] | None,
    filters: MovieFilter,
    depth: int,
    *,
    is_known: bool,
) -> tuple[Target | None, list[tuple[int, float]]]:
    """Return what movies are compared with, and the nearest; nothing if the query means nothing."""
    space = read_active_space(session)
    if space is None or vector is None:
        return None, []
    least = -1.0 if is_known else space.least_cosine
    if least is None:
        return None, []
    target = Target(space, "search", tuple(vector))
    nearest = read_nearest(session, target, filters, depth)
    return (target, nearest) if nearest and nearest[0][1] >= least else (None, [])


def _rank(scores: Mapping[int, Score], names: Names, near: set[int]) -> list[Found]:
    """Return the movies that the query names as a whole, then the others, best first."""
    titled, played = set(names.titled), set(names.played)
    totals = {row_id: parts.total for row_id, parts in scores.items()}
    by_title, by_person = names.by_title, names.by_person

    def how(row_id: int, parts: Score) -> How:
        if row_id in by_title:
            return "title"
        if row_id in by_person:
            return "person"
        if parts.words and row_id in near:
            return "both"
        return "words" if parts.words else "meaning"

    def place(row_id: int) -> tuple[int, float, int]:
        group = 0 if row_id in titled else 1 if row_id in played else 2
        return group, -totals[row_id], row_id

    return [
        Found(
            row_id,
            how(row_id, parts),
            1.0 if row_id in titled or row_id in played else totals[row_id],
            parts,
        )
        for row_id in sorted(scores, key=place)
        for parts in [scores[row_id]]
    ]
