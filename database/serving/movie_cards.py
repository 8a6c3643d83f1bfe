"""`read_cards`: what a list shows of each movie, as `MovieCard`s, in one statement."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.sql import plan_once

_QUERY: Final = plan_once(
    text("""
    SELECT m.external_id, m.slug, m.title, m.year, m.rating, m.runtime,
        coalesce(m.medium_cover_image, m.small_cover_image, m.large_cover_image),
        ARRAY(SELECT g.name FROM movie_genres l JOIN genres g ON g.id = l.genre_id
              WHERE l.movie_id = m.id ORDER BY g.name),
        m.gone_since IS NOT NULL
    FROM unnest((:ids)::bigint[]) WITH ORDINALITY o(id, place) JOIN movies m ON m.id = o.id
    ORDER BY o.place""")
)


@dataclass(frozen=True, slots=True)
class MovieCard:
    """A movie in a list."""

    #: Its id at YTS.
    id: int
    slug: str | None
    title: str
    year: int | None = None
    #: IMDb, 0.1 to 10.
    rating: float | None = None
    #: Minutes.
    runtime: int | None = None
    #: A URL, as YTS sent it.
    poster: str | None = None
    genres: tuple[str, ...] = ()
    #: Whether YTS no longer has it.
    is_gone: bool = False


def read_cards(session: Session, ids: Sequence[int]) -> list[MovieCard]:
    """Return the movies with these `movies.id`, in their order."""
    if not ids:
        return []
    rows = session.execute(_QUERY, {"ids": list(ids)})
    return [
        MovieCard(
            id_, slug, title, year, None if rating is None else float(rating), runtime, poster,
            tuple(genres), is_gone,
        )
        for id_, slug, title, year, rating, runtime, poster, genres, is_gone in rows
    ]  # fmt: skip
