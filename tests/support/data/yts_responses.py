"""Responses in the shapes of YTS, about invented movies."""

import json
from typing import Any

Json = dict[str, Any]

_ALL_GENRES = """
    Action Adventure Animation Biography Comedy Crime Documentary Drama Family Fantasy
    History Horror Music Musical Mystery Romance Sci-Fi Sport Thriller War
"""


def a_torrent(**changes: Any) -> Json:
    """Return a torrent as list and details responses have it since 2023."""
    torrent = {
        "url": f"https://yts.gg/torrent/download/{'AB' * 20}",
        "hash": "AB" * 20,
        "quality": "1080p",
        "type": "web",
        "is_repack": "0",
        "video_codec": "x264",
        "bit_depth": "8",
        "audio_channels": "5.1",
        "seeds": 100,
        "peers": 12,
        "size": "8.31 GB",
        "size_bytes": 8_922_894_008,
        "date_uploaded": "2024-07-01 12:00:00",
        "date_uploaded_unix": 1719828000,
    }
    return torrent | changes


def a_row(movie_id: int = 4711, **changes: Any) -> Json:
    """Return a movie as a list response has it, with 26 keys."""
    text = "A keeper counts the ships that do not come."
    row = {
        "id": movie_id,
        "url": f"https://yts.gg/movies/the-lamp-{movie_id}-2019",
        "imdb_code": f"tt{movie_id:07}",
        "title": f"The Lamp {movie_id}",
        "title_english": f"The Lamp {movie_id}",
        "title_long": f"The Lamp {movie_id} (2019)",
        "slug": f"the-lamp-{movie_id}-2019",
        "year": 2019,
        "rating": 6.3,
        "runtime": 97,
        "genres": ["Drama", "Mystery"],
        "summary": text,
        "description_full": text,
        "synopsis": text,
        "yt_trailer_code": "lampLAMP123",
        "language": "en",
        "mpa_rating": "PG-13",
        "background_image": f"https://yts.gg/assets/images/movies/lamp_{movie_id}/background.jpg",
        "background_image_original": f"https://yts.gg/assets/images/movies/lamp_{movie_id}/b.jpg",
        "small_cover_image": f"https://yts.gg/assets/images/movies/lamp_{movie_id}/small.jpg",
        "medium_cover_image": f"https://yts.gg/assets/images/movies/lamp_{movie_id}/medium.jpg",
        "large_cover_image": f"https://yts.gg/assets/images/movies/lamp_{movie_id}/large.jpg",
        "state": "ok",
        "torrents": [a_torrent()],
        "date_uploaded": "2024-07-01 12:00:00",
        "date_uploaded_unix": 1719828000,
    }
    return row | changes


def a_person(**changes: Any) -> Json:
    """Return a cast entry."""
    person = {
        "name": "Ida Mellin",
        "character_name": "The Keeper",
        "url_small_image": "https://yts.gg/assets/images/actors/thumb/ida.jpg",
        "imdb_code": "0000206",
    }
    return person | changes


def a_movie(movie_id: int = 4711, **changes: Any) -> Json:
    """Return a movie as a details response with cast has it."""
    row = without(a_row(movie_id), "summary", "synopsis", "state")
    more = {
        "like_count": 31,
        "description_intro": row["description_full"],
        "cast": [a_person()],
    }
    return row | more | changes


def a_ghost() -> Json:
    """Return the ghost, which YTS sends for a movie that it does not have."""
    texts = dict.fromkeys(["title", "title_english", "slug", "yt_trailer_code", "language"])
    return texts | {
        "id": 0,
        "url": "https://yts.gg/movies/",
        "imdb_code": "tt",
        "title_long": " ()",
        "year": 0,
        "rating": 0,
        "runtime": 0,
        "genres": _ALL_GENRES.split(),
        "like_count": 0,
        "description_intro": None,
        "description_full": None,
        "mpa_rating": None,
        "medium_screenshot_image1": "https://yts.gg/assets/images/movies//medium1.jpg",
    }


def without(fields: Json, *names: str) -> Json:
    """Return *fields* without these keys."""
    return {name: value for name, value in fields.items() if name not in names}


def answer(data: object, **changes: Any) -> bytes:
    """Return *data* in the envelope that YTS uses since 2026."""
    envelope = {
        "status": "ok",
        "status_message": "Query was successful",
        "data": data,
        "@meta": {"api_version": 2, "execution_time": "0 ms"},
    }
    return wire(envelope | changes)


def page_response(
    *rows: Any,
    movie_count: int | None = None,
    limit: int | None = None,
    page_number: int | None = None,
    **changes: Any,
) -> bytes:
    """
    Return a list response; without *rows* the key `movies` is absent.

    The default of the count is the number of *rows*; other keys are absent by default.
    """
    data: Json = {"movie_count": len(rows) if movie_count is None else movie_count}
    named = {"limit": limit, "page_number": page_number}
    data |= {name: value for name, value in named.items() if value is not None}
    return answer(data | ({"movies": list(rows)} if rows else {}), **changes)


def details_response(movie: object, **changes: Any) -> bytes:
    """Return a details response."""
    return answer({"movie": movie}, **changes)


def wire(value: object) -> bytes:
    """Return JSON as PHP writes it: escaped slashes, ASCII only, no spaces."""
    return json.dumps(value, separators=(",", ":")).replace("/", r"\/").encode()
