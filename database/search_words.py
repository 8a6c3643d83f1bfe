"""One half of a search: movies that have the words of a query, the rarest words first."""

from collections.abc import Sequence

from sqlalchemy import ColumnElement, Float, case, cast, func, literal, or_, select
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from database.filters import MovieFilter
from database.models import Movie
from database.terms import Term

#: Movies that are looked at, about: of frequent words, those of the rarer ones.
_MOST_CANDIDATES = 4000
#: What a word counts in a title, in the names of cast and genres, and in a description.
_IN_TITLE, _IN_NAMES, _IN_DESCRIPTION = 1.0, 0.8, 0.6


def search_by_words(
    session: Session, terms: Sequence[Term], filters: MovieFilter, limit: int
) -> list[int]:
    """
    Return `movies.id` of movies that have any of *terms*, the best first.

    The score is the sum of the weights of the words a movie has, less for a description
    than for a title; among equals those with more likes and votes come first.
    """
    if not terms:
        return []
    wanted = or_(*(_matches(term) for term in _rarest(terms)))
    candidates = (
        select(Movie.id, Movie.external_id, Movie.like_count, Movie.rating, Movie.search_vector)
        .where(wanted, *filters.conditions())
        .cte("candidates")
        .prefix_with("MATERIALIZED")
    )
    return list(
        session.scalars(
            select(candidates.c.id)
            .order_by(
                sum(
                    (_score(candidates.c.search_vector, term) for term in terms), literal(0.0)
                ).desc(),
                func.coalesce(candidates.c.like_count, 0).desc(),
                func.coalesce(candidates.c.rating, 0).desc(),
                candidates.c.external_id,
            )
            .limit(limit)
        )
    )


def _rarest(terms: Sequence[Term]) -> list[Term]:
    chosen: list[Term] = []
    movies = 0
    for term in sorted(terms, key=lambda it: it.movies):
        if chosen and movies + term.movies > _MOST_CANDIDATES:
            break
        chosen.append(term)
        movies += term.movies
    return chosen


def _matches(term: Term) -> ColumnElement[bool]:
    return Movie.search_vector.op("@@")(_query(term))


def _score(vector: ColumnElement[str], term: Term) -> ColumnElement[float]:
    found = vector.op("@@")
    return cast(
        case(
            (found(_query(term, "A")), term.weight * _IN_TITLE),
            (found(_query(term, "B")), term.weight * _IN_NAMES),
            (found(_query(term)), term.weight * _IN_DESCRIPTION),
            else_=0.0,
        ),
        Float,
    )


def _query(term: Term, label: str = "") -> ColumnElement[str]:
    """Return any of the lexemes as a tsquery; they are quoted, so that none is an operator."""
    quoted = (it.replace("\\", "\\\\").replace("'", "''") for it in term.lexemes)
    suffix = f":{label}" if label else ""
    return cast(literal(" | ".join(f"'{it}'{suffix}" for it in quoted)), TSQUERY)
