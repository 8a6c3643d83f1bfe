"""`list_body`, `details_body`, ...: bodies of the YTS API, encoded as PHP encodes them."""

import codecs
import json
from collections.abc import Sequence
from functools import lru_cache

from yts.responses import DETAILS_UNKNOWN

_START = b'{"status":"ok","status_message":"Query was successful","data":'
#: YTS asks clients to test `status` alone, and changes the message, so this harms none of them; a
#: fetch from this server sees that it must ask again later.
_INCOMPLETE_START = _START.replace(b"Query was successful", DETAILS_UNKNOWN.encode())
_END = b',"@meta":{"api_version":2,"execution_time":"0 ms"}}'
#: Name of the error handler for characters that are not ASCII.
_ESCAPES = "yts json escapes"
_GUIDE = "Parental guides are not part of this mirror."
_GHOST_GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "History", "Horror", "Musical", "Mystery", "Romance", "Sci-Fi", "Sport",
    "Thriller", "War", "Western",
)  # fmt: skip


def list_body(movie_count: int, limit: int, page: int, movies: Sequence[str]) -> bytes:
    """Return a page of movies that are JSON already; without any, the key `movies` is absent."""
    head = f'"movie_count":{movie_count},"limit":{limit},"page_number":{page}'
    return _listing(head, movies)


def suggestions_body(movies: Sequence[str]) -> bytes:
    """Return suggestions; YTS always counts 0 of them."""
    return _listing('"movie_count":0', movies)


def details_body(movie: str, *, is_complete: bool = True) -> bytes:
    """Return one movie that is JSON already; if not *is_complete*, the message says so."""
    start = _START if is_complete else _INCOMPLETE_START
    return _envelope(f'{{"movie":{movie}}}', start)


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


def _listing(head: str, movies: Sequence[str]) -> bytes:
    if not movies:
        return _envelope(f"{{{head}}}")
    # One by one, because most movies are ASCII, which is copied many times faster.
    encoded = [movie.encode("ascii", _ESCAPES) for movie in movies]
    encoded[0] = b'%b{%b,"movies":[%b' % (_START, head.encode(), encoded[0])
    encoded[-1] += b"]}" + _END
    return _escaped(b",".join(encoded))


def _envelope(data: str, start: bytes = _START) -> bytes:
    return _escaped(b"".join((start, data.encode("ascii", _ESCAPES), _END)))


def _escaped(body: bytes) -> bytes:
    r"""Write slashes as PHP does: \/. They stand only in strings."""
    return body.replace(b"/", b"\\/")


def _escape(error: UnicodeError) -> tuple[str, int]:
    r"""Return characters that are not ASCII as PHP writes them, \uXXXX, and where they end."""
    assert isinstance(error, UnicodeEncodeError)  # noqa: S101 -- for the types
    return _escapes(error.object[error.start : error.end]), error.end


@lru_cache(1024)
def _escapes(characters: str) -> str:
    return json.dumps(characters)[1:-1]


# The encoder calls it for the few parts that need it; a regular expression that looks for them
# takes ten times as long as all the rest.
codecs.register_error(_ESCAPES, _escape)
