"""`list_body`, `details_body`, ...: bodies of the YTS API, encoded as PHP encodes them."""

import json
import re

#: YTS asks clients to test `status` alone, and changes the message.
_ENVELOPE = (
    b'{"status":"ok","status_message":"Query was successful","data":%b,'
    b'"@meta":{"api_version":2,"execution_time":"0 ms"}}'
)
_NOT_ASCII = re.compile(r"[^\x00-\x7f]+")
_GUIDE = "Parental guides are not part of this mirror."
_GHOST_GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "History", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Sport",
    "Thriller", "War", "Western",
)  # fmt: skip


def list_body(movie_count: int, limit: int, page: int, movies: str) -> bytes:
    """Return a page of movies that are JSON already; without any, the key `movies` is absent."""
    head = f'"movie_count":{movie_count},"limit":{limit},"page_number":{page}'
    return _envelope(f"{{{head}{_movies(movies)}}}")


def suggestions_body(movies: str) -> bytes:
    """Return suggestions; YTS always counts 0 of them."""
    return _envelope(f'{{"movie_count":0{_movies(movies)}}}')


def details_body(movie: str) -> bytes:
    """Return one movie that is JSON already."""
    return _envelope(f'{{"movie":{movie}}}')


def ghost_body() -> bytes:
    """Return what YTS sends for a movie that it does not have: a movie with the id 0."""
    nulls = ("description_intro", "description_full", "yt_trailer_code", "language", "mpa_rating")
    ghost = {
        "id": 0, "url": "https://yts.gg/movies/", "imdb_code": "tt",
        "title": None, "title_english": None, "title_long": " ()", "slug": None,
        "year": 0, "rating": 0, "runtime": 0, "genres": _GHOST_GENRES, "like_count": 0,
        **dict.fromkeys(nulls),
    }  # fmt: skip
    return details_body(json.dumps(ghost, separators=(",", ":")))


def parental_guides_body() -> bytes:
    """Return one entry that explains that there are none, as YTS does."""
    guide = {"type": "Info", "parental_guide_text": _GUIDE}
    data = {"parental_guide_count": 1, "parental_guides": [guide]}
    return _envelope(json.dumps(data, separators=(",", ":")))


def error_body(message: str) -> bytes:
    """Return an error in the envelope of YTS."""
    error = {"status": "error", "status_message": message, "data": None}
    return json.dumps(error, separators=(",", ":")).encode()


def _movies(movies: str) -> str:
    return f',"movies":[{movies}]' if movies else ""


def _envelope(data: str) -> bytes:
    r"""Encode like PHP: \/ for slashes, which stand only in strings, and \uXXXX for non-ASCII."""
    escaped = data.replace("/", "\\/")
    if not escaped.isascii():
        escaped = _NOT_ASCII.sub(lambda match: json.dumps(match[0])[1:-1], escaped)
    return _ENVELOPE % escaped.encode("ascii")
