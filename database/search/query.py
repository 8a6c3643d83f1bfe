"""
`search_movies`: one pipeline from a query to ranked movies.

An IMDb code or a URL finds its movie only. Otherwise, four sources name candidates: names, words,
facets such as years and genres, and nearness of vectors. One score ranks all of them.
"""

import re
from dataclasses import dataclass
from typing import Literal, Protocol

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from database.models import Movie
from database.search.candidates import Candidates, read_candidates
from database.search.filters import MovieFilter
from database.search.names.found_names import Names, find_names
from database.search.nearest import Target
from database.search.query_terms import read_terms
from database.search.query_words import read_query_words, words_of
from database.search.references import LONGEST_TITLE, has_imdb_code, has_page
from database.search.scores import Score
from database.vectors.spaces import Space

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


class QueryEmbedder(Protocol):
    """Protocol: makes the vector of a query, like that of `embeddings.load.open_embedder`."""

    #: The space that its vectors are compared in; None if there is none.
    space: Space | None

    def embed_query(self, query: str) -> list[float] | None:
        """Return the *search* vector of *query*; None if it has no known word."""


def search_movies(
    session: Session,
    query: str,
    *,
    embedder: QueryEmbedder | None = None,
    filters: MovieFilter | None = None,
    limit: int = 20,
    offset: int = 0,
) -> list[Found]:
    """
    Return the movies that match *query*, best first; only its first 32 words count.

    Without an *embedder*, meaning is left out. At most 1,000 movies are returned.

    Raises:
        NothingToSearch: *query* has neither letters nor digits.
    """
    query = query.replace("\0", " ")
    filters = filters or MovieFilter()
    wanted = min(limit + offset, _MOST_FOUND)
    results = _read_linked(session, query, filters)
    if results is None:
        target = _target_of(embedder, query)
        # Words and vectors rarely name the same movies.
        depth = max(_DEPTH, wanted // 2) if target else max(_DEPTH, wanted)
        results = _search_text(session, query, target, filters, depth)
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


def _target_of(embedder: QueryEmbedder | None, query: str) -> Target | None:
    """Return what movies are compared with; None if the query means nothing."""
    if embedder is None or embedder.space is None:
        return None
    vector = embedder.embed_query(query)
    return None if vector is None else Target(embedder.space, "search", tuple(vector))


def _search_text(
    session: Session,
    query: str,
    target: Target | None,
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
    found = read_candidates(
        session, query, terms, filters, depth, names=names, unwanted=unwanted, target=target
    )
    return _rank(found, names) if any(map(_is_match, found.scores.values())) else []


def _is_match(parts: Score) -> bool:
    return parts.words >= _LEAST_WORDS or parts.meaning >= _LEAST_MEANING


def _rank(candidates: Candidates, names: Names) -> list[Found]:
    """Return the movies that the query names as a whole, then the others, best first."""
    titled, played = set(names.titled), set(names.played)
    scores, near = candidates.scores, candidates.near
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
