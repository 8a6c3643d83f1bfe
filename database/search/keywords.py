"""`share_of_words`: how much of a query a movie has; `search_by_words`, `search_by_facets`."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from sqlalchemy import ColumnElement, cast, or_, select, text
from sqlalchemy.dialects.postgresql import TSQUERY
from sqlalchemy.orm import Session

from database.models import Movie
from database.search.filters import MovieFilter
from database.search.query_terms import Term
from database.sql import plan_once

#: Approximate number of movies that are compared: with frequent words, those with the rarer ones.
_MOST_CANDIDATES = 2000
#: If even the rarest word is in more movies than this, movies without it are not compared.
_MOST_READ = 4000
#: What a word counts in the names of cast, and in a description. In a title it counts 1, like a
#: year, a genre or a person that the query names.
_IN_NAMES, _IN_DESCRIPTION = 0.8, 0.6
_SHARE_IN_TEXT = f"""
    WHEN NOT search_vector @@ CAST(:anywhere_{{number}} AS tsquery) THEN 0
    WHEN search_vector @@ CAST(:fully_{{number}} AS tsquery) THEN 1
    WHEN search_vector @@ CAST(:in_names_{{number}} AS tsquery) THEN {_IN_NAMES}
    ELSE CAST({_IN_DESCRIPTION} AS float8)"""
#: Longer queries describe a movie; they are not lists such as "80s horror".
_MOST_LISTED = 6


def search_by_words(
    session: Session,
    terms: Sequence[Term],
    filters: MovieFilter,
    order: str,
    limit: int,
) -> list[int]:
    """Return `movies.id` of movies with any of *terms*, those with the largest *order* (SQL)."""
    worded = sorted((term for term in terms if term.lexemes), key=lambda term: term.movies)
    if not worded:
        return []
    movies = list(accumulate(term.movies for term in worded))
    rarest = worded[: max(1, bisect_right(movies, _MOST_CANDIDATES))]
    # One condition for each term: PostgreSQL estimates that a single long one matches half of the
    # table.
    candidates = (
        select(Movie.id, Movie.year, Movie.like_count, Movie.search_vector)
        .where(or_(*(_has(as_query(term.lexemes)) for term in rarest)), *filters.conditions())
        .limit(_MOST_READ)
        .subquery("candidates")
    )
    best = select(candidates.c.id).order_by(text(f"{order} DESC"), candidates.c.id).limit(limit)
    statement = plan_once(best) if filters.is_empty else best
    return list(session.scalars(statement, share_parameters(terms)))


def search_by_facets(
    session: Session, terms: Sequence[Term], filters: MovieFilter, limit: int
) -> list[int]:
    """
    Return `movies.id` of movies with all years, genres and people of a query, most likes first.

    Only of a query that has at most six words, and more than a genre.
    """
    facets = [_facet(term) for term in terms if term.years or term.genre or term.movie_ids]
    is_list = any(term.years or term.movie_ids for term in terms) or len(facets) > 1
    if not is_list or len(terms) > _MOST_LISTED:
        return []
    query = select(Movie.id).where(*facets, *filters.conditions())
    query = query.order_by(Movie.like_count.desc().nulls_last(), Movie.id)
    return list(session.scalars(query.limit(limit)))


def _facet(term: Term) -> ColumnElement[bool]:
    if term.movie_ids:
        return Movie.id.in_(term.movie_ids)
    if term.years:
        return Movie.year.between(*term.years)
    return _has(as_query([(term.genre or "").lower()], "B"))


def _has(query: str) -> ColumnElement[bool]:
    return Movie.search_vector.bool_op("@@")(cast(query, TSQUERY))


def share_of_words(terms: Sequence[Term]) -> str:
    """
    Return the SQL of the share of a query that a movie has, 0 to 1.

    It is the sum of the weights of the terms that the movie has, of the sum of all weights. Its
    parameters are `share_parameters`, the columns those of `movies`. It is text, because SQLAlchemy
    needs longer for a large expression than PostgreSQL.
    """
    return " + ".join(
        ["CAST(0 AS float8)", *(_share_of(term, number) for number, term in enumerate(terms))]
    )


def _share_of(term: Term, number: int) -> str:
    of_year = f"WHEN year BETWEEN :low_{number} AND :high_{number} THEN 1" if term.years else ""
    has_person = (
        f"WHEN id = ANY (CAST(:movies_{number} AS bigint[])) THEN 1" if term.movie_ids else ""
    )
    in_text = _SHARE_IN_TEXT.format(number=number)
    return f"CAST(:weight_{number} AS float8) * CASE {of_year} {has_person} {in_text} END"


def share_parameters(terms: Sequence[Term]) -> dict[str, Any]:
    """Return the values for `share_of_words`."""
    whole = sum(term.weight for term in terms if not term.is_guess) or 1.0
    parameters: dict[str, Any] = {}
    for number, term in enumerate(terms):
        genre = [as_query([term.genre.lower()], "B")] if term.genre else []
        parameters |= {
            f"weight_{number}": term.weight / whole,
            f"anywhere_{number}": as_query(term.lexemes),
            f"fully_{number}": " | ".join([as_query(term.lexemes, "A"), *genre]),
            f"in_names_{number}": as_query(term.lexemes, "B"),
        }
        if term.years:
            parameters |= {f"low_{number}": term.years[0], f"high_{number}": term.years[1]}
        if term.movie_ids:
            parameters[f"movies_{number}"] = list(term.movie_ids)
    return parameters


def as_query(lexemes: Sequence[str], label: str = "") -> str:
    """Return a tsquery for any of *lexemes*."""
    return " | ".join(f"{quoted(lexeme)}{label and ':'}{label}" for lexeme in lexemes)


def quoted(lexeme: str) -> str:
    """Return *lexeme* as it stands in a tsquery, where no part of it is an operator."""
    doubled = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
