"""`similar`: movies like one, for the API v1."""

from dataclasses import asdict
from typing import Any

from database.search.similar.ranking import Near, NoVector, similar_movies
from database.search.similar.reasons import Why, reasons_of
from database.serving.read_only import transaction
from database.serving.suggestions import movies_of_same_genres
from web.meaning import read_reasons
from web.v1.cursors import decode_place
from web.v1.filters import read_filter
from web.v1.movies import extended, find_movie, read_all
from web.v1.parameters import MOST_SIMILAR, SimilarQuery
from web.v1.route import Items, Source, Span, next_place

_BY_GENRES = "These movies share most genres with it"


def similar(source: Source, query: SimilarQuery, span: Span) -> Items:
    """Return similar movies with reasons; without vectors, those of the same genres."""
    session = source.session
    filters = read_filter(session, query)
    row_id = find_movie(session, query.movie)
    begin = decode_place("place", span.cursor)
    note = None
    ranks: dict[int, dict[str, Any]]
    try:
        with transaction(session):
            near = similar_movies(session, row_id, filters=filters, limit=MOST_SIMILAR)
        ranks = {each.row_id: _score_of(each) for each in near}
    except NoVector as error:
        note = f"{_BY_GENRES}: {error}"
        same = movies_of_same_genres(session, row_id, filters, MOST_SIMILAR)
        ranks = dict.fromkeys(same, dict.fromkeys(("similarity", "score", "parts")))
    ids = list(ranks)[begin : begin + span.limit]
    others = read_all(session, ids)
    pairs = [(row_id, other) for other in ids]
    reasons = read_reasons(session, source.meaning.open(session), pairs)
    rows = [
        extended(other, **ranks[id_], why=_why(why))
        for id_, other, why in zip(ids, others, reasons, strict=True)
    ]
    return Items(rows, next_place(begin, span.limit, len(ranks)), {"note": note})


def _score_of(near: Near) -> dict[str, Any]:
    parts = {name: round(share, 4) for name, share in near.parts.shares().items()}
    return {
        "similarity": round(near.parts.nearness, 4),
        "score": round(near.score, 4),
        "parts": parts,
    }


def _why(why: Why | None) -> dict[str, Any] | None:
    return {**asdict(why), "text": "; ".join(reasons_of(why))} if why else None
