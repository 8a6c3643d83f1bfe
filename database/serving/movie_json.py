"""`read_movies_json`: movies with genres, cast and torrents as JSON, made by PostgreSQL."""

from collections.abc import Sequence
from typing import Final

from sqlalchemy import text
from sqlalchemy.orm import Session

from database.sql import plan_once

#: Names and order of the columns are those of `Movie.to_dict`; ids of rows are left out.
_COLUMNS: Final = """
    m.external_id AS id, m.imdb_code, m.title, m.title_english, m.title_long, m.slug, m.year,
    m.rating, m.runtime, m.language, m.mpa_rating, m.summary, m.description_full,
    m.description_intro, m.synopsis, m.yt_trailer_code, m.like_count, m.url, m.background_image,
    m.background_image_original, m.small_cover_image, m.medium_cover_image, m.large_cover_image,
    m.date_uploaded, m.date_uploaded_unix, m.details_fetched_at, m.created_at, m.updated_at,
    m.fetched_at, m.gone_since, m.yts_slug
"""
_SQL = f"""
    SELECT row_to_json(movie)::text
    FROM unnest((:ids)::bigint[]) WITH ORDINALITY o(id, place)
    JOIN movies m ON m.id = o.id
    CROSS JOIN LATERAL (
        SELECT {_COLUMNS},
            array_to_json(ARRAY(
                SELECT g.name FROM movie_genres l JOIN genres g ON g.id = l.genre_id
                WHERE l.movie_id = m.id ORDER BY g.name)) AS genres,
            array_to_json(ARRAY(
                SELECT row_to_json(member) FROM (
                    SELECT l.character_name, l.position, c.name, c.imdb_code
                    FROM movie_casts l JOIN casts c ON c.id = l.cast_id
                    WHERE l.movie_id = m.id ORDER BY l.position, l.cast_id
                ) member)) AS casts,
            array_to_json(ARRAY(
                SELECT row_to_json(torrent) FROM (
                    SELECT t.hash, t.url, t.quality, t.type, t.is_repack, t.video_codec,
                        t.bit_depth, t.audio_channels, t.seeds, t.peers, t.size, t.size_bytes,
                        t.date_uploaded, t.date_uploaded_unix
                    FROM torrents t WHERE t.movie_id = m.id ORDER BY t.id
                ) torrent)) AS torrents
    ) movie
    ORDER BY o.place"""  # noqa: S608 -- only constants of this module
_QUERY: Final = plan_once(text(_SQL))


def read_movies_json(session: Session, ids: Sequence[int]) -> list[str]:
    """Return the movies with these `movies.id`, in their order, each as a JSON object."""
    return list(session.scalars(_QUERY, {"ids": list(ids)})) if ids else []
