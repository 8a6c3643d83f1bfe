"""`read_feed_entries`: what a feed says of each movie, those that this mirror stored last first."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.serving.movie_cards import MovieCard, read_cards

_QUERY: Final = text("""
    SELECT m.id, coalesce(m.date_uploaded, m.created_at), m.updated_at,
        coalesce(m.description_full, m.summary, m.synopsis, m.description_intro, '')
    FROM movies m
    WHERE m.id = ANY((:ids)::bigint[]) AND m.gone_since IS NULL
    ORDER BY m.created_at DESC, m.external_id DESC
    LIMIT :limit""")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A movie in a feed."""

    movie: MovieCard
    #: When YTS added it or, if that is unknown, when this mirror stored it.
    published_at: datetime
    #: When it last changed; not seeds, peers, likes and cast.
    updated_at: datetime
    description: str


def read_feed_entries(session: Session, ids: Sequence[int], limit: int) -> list[FeedEntry]:
    """Return up to *limit* of the movies with these `movies.id`, without those that are gone."""
    rows = session.execute(_QUERY, {"ids": list(ids), "limit": limit}).all() if ids else []
    cards = read_cards(session, [row_id for row_id, *_ in rows])
    # A card that is missing belongs to a movie that was deleted meanwhile.
    if len(cards) < len(rows):
        return []
    return [
        FeedEntry(card, published_at, updated_at, description)
        for card, (_, published_at, updated_at, description) in zip(cards, rows, strict=True)
    ]
