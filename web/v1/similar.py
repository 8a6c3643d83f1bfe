"""`similar`, `recommend`: movies like one, or like several, for the API v1."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from database.search.similar.ranking import Near, NoVector, recommend_movies
from database.search.similar.reasons import Why, reasons_of
from database.serving.suggestions import movies_of_same_genres, read_external_ids
from web.meaning import read_reasons
from web.v1.cursors import decode_place
from web.v1.filters import read_filter
from web.v1.movies import extended, find_movie, read_all
from web.v1.parameters import MOST_SIMILAR, FilteredQuery, RecommendQuery, SimilarQuery
from web.v1.problems import ProblemFound
from web.v1.route import Items, Source, Span, next_place

_BY_GENRES = "These movies were chosen by genres"


def similar(source: Source, query: SimilarQuery, span: Span) -> Items:
    """Return similar movies with reasons; without vectors, those of the same genres."""
    return _recommend(source, [find_movie(source.session, query.movie)], [], query, span)


def recommend(source: Source, query: RecommendQuery, span: Span) -> Items:
    """
    Return movies like several, as `similar` does, each with the one that it is most like.

    Raises:
        ProblemFound: a movie does not exist, or is both liked and unwanted.
    """
    liked = [find_movie(source.session, reference) for reference in query.like]
    unwanted = [find_movie(source.session, reference) for reference in query.unlike]
    if {*liked} & {*unwanted}:
        raise ProblemFound(400, "A movie is in both like and unlike. Name it in one of them.")
    return _recommend(source, liked, unwanted, query, span)


def _recommend(
    source: Source, liked: list[int], unwanted: list[int], query: FilteredQuery, span: Span
) -> Items:
    session = source.session
    filters = read_filter(session, query)
    begin = decode_place("place", span.cursor)
    near: list[Near | _SameGenre]
    note = None
    try:
        near = [*recommend_movies(session, liked, unwanted, filters=filters, limit=MOST_SIMILAR)]
    except NoVector as error:
        note = f"{_BY_GENRES}: {error}"
        same = movies_of_same_genres(session, liked, unwanted, filters, MOST_SIMILAR)
        near = [_SameGenre(row_id, liked[0]) for row_id in same]
    shown = near[begin : begin + span.limit]
    movies = read_all(session, [each.row_id for each in shown])
    pairs = [(each.like_id, each.row_id) for each in shown]
    reasons = read_reasons(session, source.meaning.open(session), pairs)
    names = read_external_ids(session, liked) if isinstance(query, RecommendQuery) else {}
    rows = [
        extended(movie, **_score_of(each), why=_why(why), **_most_like(each, names))
        for each, movie, why in zip(shown, movies, reasons, strict=True)
    ]
    return Items(rows, next_place(begin, span.limit, len(near)), {"note": note})


@dataclass(frozen=True, slots=True)
class _SameGenre:
    """A movie that was chosen without a score."""

    row_id: int
    like_id: int


def _score_of(near: Near | _SameGenre) -> dict[str, Any]:
    if isinstance(near, _SameGenre):
        return dict.fromkeys(("similarity", "score", "parts"))
    return {
        "similarity": round(near.parts.nearness, 4),
        "score": round(near.score, 4),
        "parts": near.parts.explain(),
    }


def _most_like(near: Near | _SameGenre, names: Mapping[int, int]) -> dict[str, int]:
    """Return the YTS id of the liked movie, where there may be several: *names* has them."""
    return {"most_like": names[near.like_id]} if names else {}


def _why(why: Why | None) -> dict[str, Any] | None:
    return {**asdict(why), "text": "; ".join(reasons_of(why))} if why else None
