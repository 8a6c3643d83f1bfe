"""`read_candidates`: the movies that a search may return, with their scores, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sqlalchemy import ColumnClause, SelectBase, TextualSelect, column, text
from sqlalchemy.orm import Session

from database.search.filters import MovieFilter
from database.search.keywords import (
    Shape,
    query_of_facets,
    query_of_words,
    rarest_of,
    shapes_of,
    share_of_words,
    share_parameters,
)
from database.search.names.found_names import Names
from database.search.nearest import Target, nearest_query
from database.search.query_terms import Term, are_known
from database.search.scores import SHARE_OF_LIKES, WEIGHTS, Score
from database.sql import plan_once
from database.vectors.spaces import Space

#: The share of a query that a movie has if all words are in the name of one of its people.
_IN_PERSON = 0.9

_NAMED = "SELECT unnest(CAST(:named AS bigint[])) AS row_id, false AS is_near"
_NEAR_ENOUGH = """
    SELECT movie_id, true FROM near WHERE (SELECT max(-distance) FROM near) >= :least_cosine"""
#: The candidates that each of the queries before `_SCORES` names.
_SOURCES = {
    "worded": "SELECT id, false FROM worded",
    "listed": "SELECT id, false FROM listed",
    "near": _NEAR_ENOUGH,
}
_SCORES = """
    SELECT id, is_near, {words}, {meaning}, {likes},
        CASE WHEN id = ANY (CAST(:titled AS bigint[])) THEN
            least(1, length(search_key(:query)) / CAST(length(search_key(title)) AS float8))
        END
    FROM (
        SELECT row_id, bool_or(is_near) AS is_near FROM ({sources}) AS sources GROUP BY row_id
    ) AS candidates
    JOIN movies ON id = row_id {vectors}
    WHERE {is_wanted}"""
_MEANING = f"""
    CASE WHEN EXISTS ({_NEAR_ENOUGH}) THEN coalesce(-(search <#> CAST(:vector AS halfvec)), 0)
    ELSE 0 END"""
_VECTORS = "LEFT JOIN movie_embeddings ON movie_id = id AND space_id = {space_id}"
_IS_WANTED = """
    NOT EXISTS (
        SELECT FROM unnest(CAST(:unwanted AS text[])) AS word,
            unnest(CAST(ARRAY['simple', 'english'] AS regconfig[])) AS language
        WHERE search_vector @@ plainto_tsquery(language, fold_accents(word))
    )"""
_COLUMNS: list[ColumnClause[object]] = [
    column(name) for name in ("id", "is_near", "words", "meaning", "likes", "title")
]


@dataclass(frozen=True, slots=True)
class Candidates:
    """Movies that a search may return, by `movies.id`."""

    scores: dict[int, Score]
    #: Those that are among the nearest.
    near: set[int]


def read_candidates(
    session: Session,
    query: str,
    terms: Sequence[Term],
    filters: MovieFilter,
    depth: int,
    *,
    names: Names,
    unwanted: Sequence[str],
    target: Target | None,
) -> Candidates:
    """
    Return the movies that *names*, words, facts and vectors name, without those with *unwanted*.

    Words, facts and vectors name *depth* movies each. If few of the words are known, vectors count
    only if one is near enough to that of the *target*, or not at all if its model cannot tell.
    """
    least_cosine = -1.0 if target is None or are_known(terms) else target.space.least_cosine
    if least_cosine is None:
        target = None
    statement = _statement(
        shapes_of(terms), len(rarest_of(terms)), filters, depth, target and target.space,
        is_narrowed=bool(unwanted),
    )  # fmt: skip
    by_title, by_person = names.by_title, names.by_person
    parameters = {
        **share_parameters(terms), "query": query, "titled": [*by_title],
        "named": [*by_title, *by_person], "unwanted": unwanted, "least_cosine": least_cosine,
        "vector": target and target.as_text,
    }  # fmt: skip
    rows = session.execute(statement, parameters).all()
    scores = {
        row_id: _score_of(*parts, is_title=row_id in by_title, is_person=row_id in by_person)
        for row_id, _, *parts in rows
    }
    return Candidates(scores, {row_id for row_id, is_near, *_ in rows if is_near})


def _score_of(
    words: float,
    meaning: float,
    likes: float,
    title: float | None,
    *,
    is_title: bool,
    is_person: bool,
) -> Score:
    if is_title:
        return Score(1.0, title or 0.0, meaning, likes)
    # Guesses of typing errors can make the share larger than 1.
    least = _IN_PERSON if is_person else 0.0
    return Score(min(1.0, max(least, words)), 0.0, meaning, likes)


@lru_cache(maxsize=100)
def _statement(
    shapes: tuple[Shape, ...],
    rarest: int,
    filters: MovieFilter,
    depth: int,
    space: Space | None,
    *,
    is_narrowed: bool,
) -> TextualSelect:
    """Return the statement for all values of such terms; to build it takes longer than to run."""
    share = share_of_words(shapes)
    order = f"{WEIGHTS['words']} * ({share}) + {WEIGHTS['likes']} * {SHARE_OF_LIKES}"
    queries: dict[str, SelectBase | None] = {
        "worded": query_of_words(rarest, filters, order, depth) if rarest else None,
        "listed": query_of_facets(shapes, filters, depth),
        "near": nearest_query(space, "search", ":vector", filters, depth) if space else None,
    }
    ctes = [query.cte(name) for name, query in queries.items() if query is not None]
    sources = [_NAMED, *(_SOURCES[name] for name, query in queries.items() if query is not None)]
    scores = _SCORES.format(
        words=share,
        meaning=_MEANING if space else "CAST(0 AS float8)",
        likes=SHARE_OF_LIKES,
        sources=" UNION ALL ".join(sources),
        vectors=_VECTORS.format(space_id=space.id) if space else "",
        is_wanted=_IS_WANTED if is_narrowed else "true",
    )
    statement = text(scores).columns(*_COLUMNS).add_cte(*ctes)
    return plan_once(statement) if filters.is_empty else statement
