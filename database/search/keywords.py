"""`search_by_words`: movies whose documents have the words of a query, by rarity of the words."""

import operator
from bisect import bisect_right
from collections.abc import Sequence
from functools import cache, reduce
from itertools import accumulate

from sqlalchemy import ColumnElement, Float, Text, bindparam, case, cast, column, func, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY, TSVECTOR
from sqlalchemy.orm import Session

from database.models import Movie
from database.search.filters import MovieFilter
from database.search.query_terms import Term

#: Approximate number of movies that are scored: with frequent words, those with the rarer ones.
_MOST_CANDIDATES = 4000
#: If even the rarest word is in more movies than this, movies without it are not scored.
_MOST_READ = 8000
#: Weight of a word in a title, in the names of cast and genres, and in a description.
_IN_TITLE, _IN_NAMES, _IN_DESCRIPTION = 1.0, 0.8, 0.6


def search_by_words(
    session: Session, terms: Sequence[Term], filters: MovieFilter, limit: int
) -> list[int]:
    """
    Return `movies.id` of movies that have any of *terms*, the best first.

    The score is the sum of the weights of the words that a movie has; a description counts less
    than a title. Among equal scores, movies with more likes and higher ratings come first.
    """
    if not terms:
        return []
    terms = sorted(terms, key=lambda term: term.movies)
    candidates = (
        select(Movie.id, Movie.external_id, Movie.like_count, Movie.rating, Movie.search_vector)
        .where(_wanted(_count_candidates(terms)), *filters.conditions())
        .limit(_MOST_READ)
        .cte("candidates")
        .prefix_with("MATERIALIZED")
    )
    best = (
        select(candidates.c.id)
        .order_by(
            _score(len(terms)).desc(),
            func.coalesce(candidates.c.like_count, 0).desc(),
            func.coalesce(candidates.c.rating, 0).desc(),
            candidates.c.external_id,
        )
        .limit(limit)
    )
    return list(session.scalars(best, _parameters(terms)))


def _count_candidates(terms: Sequence[Term]) -> int:
    """Return how many of *terms*, the rarest first, choose the movies to score."""
    movies = list(accumulate(term.movies for term in terms))
    return max(1, bisect_right(movies, _MOST_CANDIDATES))


@cache
def _wanted(terms: int) -> ColumnElement[bool]:
    # One condition for each term: PostgreSQL estimates that a single long one matches half of the
    # table.
    has = Movie.search_vector.bool_op("@@")
    return or_(*(has(_parameter("anywhere", number)) for number in range(terms)))


@cache
def _score(terms: int) -> ColumnElement[float]:
    """Return the SQL expression of the score for this number of terms, which are parameters."""
    has = column("search_vector", TSVECTOR).bool_op("@@")
    shares = (
        bindparam(f"weight_{number}", type_=Float)
        * case(
            (~has(_parameter("anywhere", number)), 0.0),
            (has(_parameter("in_title", number)), _IN_TITLE),
            (has(_parameter("in_names", number)), _IN_NAMES),
            else_=_IN_DESCRIPTION,
        )
        for number in range(terms)
    )
    return reduce(operator.add, shares)


def _parameter(kind: str, number: int) -> ColumnElement[str]:
    return cast(bindparam(f"{kind}_{number}", type_=Text), TSQUERY)


def _parameters(terms: Sequence[Term]) -> dict[str, str | float]:
    parameters: dict[str, str | float] = {}
    for number, term in enumerate(terms):
        parameters[f"weight_{number}"] = term.weight
        parameters[f"anywhere_{number}"] = _query(term)
        parameters[f"in_title_{number}"] = _query(term, ":A")
        parameters[f"in_names_{number}"] = _query(term, ":B")
    return parameters


def _query(term: Term, label: str = "") -> str:
    """Return a tsquery for any of the lexemes, which are quoted, so that none is an operator."""
    quoted = (lexeme.replace("\\", "\\\\").replace("'", "''") for lexeme in term.lexemes)
    return " | ".join(f"'{lexeme}'{label}" for lexeme in quoted)
