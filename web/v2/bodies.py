"""`list_body`, `details_body`, ...: bodies of the YTS API, encoded as PHP encodes them."""

import json
from collections.abc import Sequence

from web.cache import CachedBody, tag_of
from web.v2.encoding import encoded
from web.v2.movie_store import KeptMovie
from yts.responses import DETAILS_UNKNOWN

_START = b'{"status":"ok","status_message":"Query was successful","data":'
#: YTS asks clients to test `status` alone, and changes the message, so this harms none of them; a
#: fetch from this server sees that it must ask again later.
_INCOMPLETE_START = _START.replace(b"Query was successful", DETAILS_UNKNOWN.encode())
_END = b',"@meta":{"api_version":2,"execution_time":"0 ms"}}'
_GUIDE = "Parental guides are not part of this mirror."
_GHOST_GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "History", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Sport",
    "Thriller", "War", "Western",
)  # fmt: skip


def list_body(movie_count: int, limit: int, page: int, movies: Sequence[KeptMovie]) -> CachedBody:
    """Return a page of movies; without any, the key `movies` is absent."""
    head = f'"movie_count":{movie_count},"limit":{limit},"page_number":{page}'
    return _listing(head, movies)


def suggestions_body(movies: Sequence[KeptMovie]) -> CachedBody:
    """Return suggestions; YTS always counts 0 of them."""
    return _listing('"movie_count":0', movies)


def details_body(movie: str, *, is_complete: bool = True) -> CachedBody:
    """Return one movie that is JSON already; if not *is_complete*, the message says so."""
    start = _START if is_complete else _INCOMPLETE_START
    return _envelope(f'{{"movie":{movie}}}', start)


def ghost_body() -> CachedBody:
    """Return what YTS sends for a movie that it does not have: a movie with the id 0."""
    nulls = ("description_intro", "description_full", "yt_trailer_code", "language", "mpa_rating")
    ghost = {
        "id": 0, "url": "https://yts.gg/movies/", "imdb_code": "tt",
        "title": None, "title_english": None, "title_long": " ()", "slug": None,
        "year": 0, "rating": 0, "runtime": 0, "genres": _GHOST_GENRES, "like_count": 0,
        **dict.fromkeys(nulls),
    }  # fmt: skip
    return details_body(json.dumps(ghost, separators=(",", ":")))


def parental_guides_body() -> CachedBody:
    """Return one entry that explains that there are none, as YTS does."""
    guide = {"type": "Info", "parental_guide_text": _GUIDE}
    data = {"parental_guide_count": 1, "parental_guides": [guide]}
    return _envelope(json.dumps(data, separators=(",", ":")))


def error_body(message: str) -> bytes:
    """Return an error in the envelope of YTS."""
    error = {"status": "error", "status_message": message, "data": None}
    return json.dumps(error, separators=(",", ":")).encode()


def _listing(head: str, movies: Sequence[KeptMovie]) -> CachedBody:
    if not movies:
        return _envelope(f"{{{head}}}")
    content = b",".join([movie.content for movie in movies])
    plain = b'%b{%b,"movies":[%b]}%b' % (_START, head.encode(), content, _END)
    # The tags of the movies stand for their contents, which are a hundred times as long.
    tag = tag_of("".join([head, *[movie.tag for movie in movies]]).encode())
    return CachedBody(plain, tag)


def _envelope(data: str, start: bytes = _START) -> CachedBody:
    return CachedBody(b"".join((start, encoded(data), _END)))
