"""`share_of_words`: how much of a query a movie has; `query_of_words`, `query_of_facets`."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Any, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    Text,
    bindparam,
    cast,
    func,
    or_,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSQUERY

from database.models import Movie
from database.search.filters import MovieFilter
from database.search.query_terms import Term
from database.sql import table_of

#: Approximate number of movies that are compared: with frequent words, those with the rarer ones.
_MOST_CANDIDATES = 2000
#: If even the rarest word is in more movies than this, movies without it are not compared.
_MOST_READ = 4000
#: What a word counts in the names of cast, and in a description. In a title it counts 1, like a
#: year, a genre or a person that the query names.
_IN_NAMES, _IN_DESCRIPTION = 0.8, 0.6
#: A query with more words describes a movie: a word counts as in a description, wherever it is.
_MOST_NAMING = 4
_SHARE_IN_TEXT = f"""
    WHEN NOT search_vector @@ CAST(:anywhere_{{number}} AS tsquery) THEN 0
    WHEN search_vector @@ CAST(:fully_{{number}} AS tsquery) THEN 1
    WHEN search_vector @@ CAST(:in_names_{{number}} AS tsquery) THEN {_IN_NAMES}
    ELSE CAST({_IN_DESCRIPTION} AS float8)"""
#: Longer queries describe a movie; they are not lists such as "80s horror".
_MOST_LISTED = 6
_movies = table_of(Movie).c


class Shape(NamedTuple):
    """What of a term the SQL depends on. Its values are the parameters with its number."""

    has_years: bool
    has_people: bool
    has_genre: bool

    @property
    def is_facet(self) -> bool:
        """Whether it is a fact of a movie."""
        return self.has_years or self.has_people or self.has_genre


def shapes_of(terms: Sequence[Term]) -> tuple[Shape, ...]:
    """Return the shapes of *terms*, in their order."""
    return tuple(Shape(bool(term.years), bool(term.movie_ids), bool(term.genre)) for term in terms)


def rarest_of(terms: Sequence[Term]) -> list[Term]:
    """Return the terms whose movies are candidates, the rarest first; one, if there are any."""
    rarest_first = sorted(terms, key=lambda term: term.movies)
    movies = list(accumulate(term.movies for term in rarest_first))
    return rarest_first[: max(1, bisect_right(movies, _MOST_CANDIDATES))]


def query_of_words(count: int, filters: MovieFilter, order: str, limit: int) -> Select[int]:
    """Return the query for movies with any of *count* terms, those with the largest *order*."""
    # One condition for each term: PostgreSQL estimates that a single long one matches half of the
    # table.
    candidates = (
        select(_movies.id, _movies.year, _movies.like_count, _movies.search_vector)
        .where(or_(*(_has(f"rarest_{number}") for number in range(count))), *filters.conditions())
        .limit(_MOST_READ)
        .subquery("candidates")
    )
    return select(candidates.c.id).order_by(text(f"{order} DESC"), candidates.c.id).limit(limit)


def query_of_facets(
    shapes: Sequence[Shape], filters: MovieFilter, limit: int
) -> Select[int] | None:
    """
    Return the query for movies with all years, genres and people, most likes first.

    None for a query that has more than six words, or only a genre.
    """
    facets = [_facet(shape, number) for number, shape in enumerate(shapes) if shape.is_facet]
    is_list = any(shape.has_years or shape.has_people for shape in shapes) or len(facets) > 1
    if not is_list or len(shapes) > _MOST_LISTED:
        return None
    query = select(_movies.id).where(*facets, *filters.conditions())
    return query.order_by(_movies.like_count.desc().nulls_last(), _movies.id).limit(limit)


def _facet(shape: Shape, number: int) -> ColumnElement[bool]:
    if shape.has_people:
        return _movies.id == func.any(cast(bindparam(f"movies_{number}"), ARRAY(BigInteger)))
    if shape.has_years:
        return _movies.year.between(bindparam(f"low_{number}"), bindparam(f"high_{number}"))
    return _has(f"genre_{number}")


def _has(parameter: str) -> ColumnElement[bool]:
    query = cast(bindparam(parameter, type_=Text), TSQUERY)
    return _movies.search_vector.bool_op("@@")(query)


def share_of_words(shapes: Sequence[Shape]) -> str:
    """
    Return the SQL of the share of a query that a movie has, by the weight of its words.

    Each word counts by its most important place. Guesses can make it larger than 1.
    """
    return " + ".join(
        ["CAST(0 AS float8)", *(_share_of(shape, number) for number, shape in enumerate(shapes))]
    )


def _share_of(shape: Shape, number: int) -> str:
    of_year = f"WHEN year BETWEEN :low_{number} AND :high_{number} THEN 1"
    has_person = f"WHEN id = ANY (CAST(:movies_{number} AS bigint[])) THEN 1"
    facets = f"{of_year if shape.has_years else ''} {has_person if shape.has_people else ''}"
    in_text = _SHARE_IN_TEXT.format(number=number)
    return f"CAST(:weight_{number} AS float8) * CASE {facets} {in_text} END"


def share_parameters(terms: Sequence[Term]) -> dict[str, Any]:
    """Return the values of *terms*; null stands for no query, as PostgreSQL warns of empty ones."""
    typed = [term.weight for term in terms if not term.is_guess]
    whole = sum(typed) or 1.0
    parameters: dict[str, Any] = {}
    for number, term in enumerate(terms):
        genre = as_query([term.genre.lower()], "B") if term.genre else ""
        naming = term.lexemes if len(typed) <= _MOST_NAMING else ()
        parameters |= {
            f"weight_{number}": term.weight / whole,
            f"anywhere_{number}": as_query(term.lexemes),
            f"fully_{number}": " | ".join(filter(None, [as_query(naming, "A"), genre])) or None,
            f"in_names_{number}": as_query(naming, "B") or None,
            f"genre_{number}": genre,
            f"movies_{number}": list(term.movie_ids),
        }
        if term.years:
            parameters |= {f"low_{number}": term.years[0], f"high_{number}": term.years[1]}
    rarest = enumerate(rarest_of(terms))
    return parameters | {f"rarest_{number}": as_query(term.lexemes) for number, term in rarest}


def as_query(lexemes: Sequence[str], label: str = "") -> str:
    """Return a tsquery for any of *lexemes*."""
    return " | ".join(f"{quoted(lexeme)}{label and ':'}{label}" for lexeme in lexemes)


def quoted(lexeme: str) -> str:
    """Return *lexeme* as it stands in a tsquery, where no part of it is an operator."""
    doubled = lexeme.replace("\\", "\\\\").replace("'", "''")
    return f"'{doubled}'"
