"""`parse_page`, `parse_details`: movies from response bodies, checked by their shape (pure)."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic_core import from_json

from yts.errors import MalformedMovie, NotYts, ResponseTooLarge, YtsUnavailable
from yts.payload import MoviePayload, as_list, is_count, parse_movie, read_id
from yts.printable import one_line
from yts.unknown_fields import count_unknown

#: The `status_message` of a mirror that fills the details of a movie with what its list row has.
DETAILS_UNKNOWN = "Query was successful; the details of this movie are not known yet"


@dataclass(frozen=True, slots=True)
class MoviePage:
    """One list response."""

    #: Movies in the whole catalogue according to YTS: an estimate.
    movie_count: int
    #: Distinct by id, in the order sent.
    movies: tuple[MoviePayload, ...]
    malformed: tuple[MalformedMovie, ...] = ()
    #: Number of movies for each field that is neither stored nor deliberately left out.
    unknown_fields: Counter[str] = field(default_factory=Counter)
    #: Number of rows, repeated and malformed rows included.
    rows: int = 0
    #: Page number and page size that YTS says it used; None if it does not say.
    page_number: int | None = None
    limit: int | None = None
    #: Rows are missing by the count of this response or, if *is_collapsed*, of an earlier one.
    is_doubtful: bool = False
    is_collapsed: bool = False

    @property
    def ids(self) -> tuple[int, ...]:
        """Return the YTS ids of all rows that have a readable one, in order."""
        unread = (error.movie_id for error in self.malformed if error.movie_id is not None)
        return (*(movie.id for movie in self.movies), *unread)


def parse_page(body: bytes) -> MoviePage:
    """
    Return the page of a list response; without movies it is empty.

    Raises:
        YtsUnavailable: not JSON, truncated, or a status other than ok.
        NotYts: JSON of another shape.
        ResponseTooLarge: nested too deeply.
    """
    data = _open_envelope(body)
    count, rows = data.get("movie_count"), data.get("movies")
    rows = as_list(rows) or rows
    if not (is_count(count) and (rows is None or isinstance(rows, list))):
        raise NotYts("the response has no movie list where YTS puts it")
    movies: dict[int, MoviePayload] = {}
    malformed = []
    for row in rows or ():
        try:
            movie = parse_movie(row)
            movies.setdefault(movie.id, movie)
        except MalformedMovie as error:
            malformed.append(error)
    return MoviePage(
        count,
        tuple(movies.values()),
        tuple(malformed),
        count_unknown(movies.values()),
        rows=len(rows or ()),
        page_number=_positive(data.get("page_number")),
        limit=_positive(data.get("limit")),
    )


def _positive(value: object) -> int | None:
    return value if is_count(value) and value else None


def parse_details(body: bytes, movie_id: int) -> MoviePayload | None:
    """
    Return the movie of a details response; None means that YTS has no movie *movie_id*.

    Raises:
        YtsUnavailable: as `parse_page`, or another movie than the requested one.
        MalformedMovie: the movie exists but cannot be parsed, or its details are not known yet.
    """
    raw = _open_envelope(body).get("movie")
    received_id = read_id(raw.get("id")) if isinstance(raw, dict) else None
    if received_id is None:
        raise NotYts("the response has no movie where YTS puts it")
    # For a missing movie YTS sends a "ghost" with id 0 and all genres.
    if received_id == 0:
        return None
    if received_id != movie_id:
        raise YtsUnavailable(f"asked for movie {movie_id}, got movie {received_id}")
    if DETAILS_UNKNOWN.encode() in body[: len(DETAILS_UNKNOWN) + 100]:
        raise MalformedMovie(movie_id, "the mirror there does not have the details of it yet")
    return parse_movie(raw)


def join_pages(parts: Sequence[MoviePage]) -> MoviePage:
    """Return one page from *parts*: smaller pages of the same list, in order."""
    movies: dict[int, MoviePayload] = {}
    for movie in (movie for part in parts for movie in part.movies):
        movies.setdefault(movie.id, movie)
    return MoviePage(
        max(part.movie_count for part in parts),
        tuple(movies.values()),
        tuple(error for part in parts for error in part.malformed),
        count_unknown(movies.values()),
        rows=sum(part.rows for part in parts),
        is_doubtful=any(part.is_doubtful for part in parts),
        is_collapsed=any(part.is_collapsed for part in parts),
    )


def _open_envelope(body: bytes) -> dict[str, Any]:
    envelope = _read_json(body)
    if not isinstance(envelope, dict) or "status" not in envelope:
        raise NotYts("the response is JSON, but not from YTS: it has no status")
    if envelope["status"] != "ok":
        status = one_line(str(envelope["status"]), 50)
        message = one_line(str(envelope.get("status_message")), 200)
        raise YtsUnavailable(f"YTS answered status {status!r}: {message}")
    if not isinstance(envelope.get("data"), dict):
        raise NotYts("the response has no data")
    data: dict[str, Any] = envelope["data"]
    return data


def _read_json(body: bytes) -> Any:
    try:
        return from_json(body)
    except ValueError:
        pass  # Text around the JSON, or a value that the fast parser rejects.
    text = body.decode("utf-8", "replace")
    envelope = _ENVELOPE.search(text)
    try:
        return _read_leniently(text, envelope.start() if envelope else 0)
    except ValueError:
        pass
    except RecursionError as error:
        if envelope:
            raise ResponseTooLarge(None, "the response is nested too deeply") from error
    raise YtsUnavailable("the response is not JSON: " + _excerpt(body))


def _read_leniently(text: str, start: int) -> Any:
    """
    Return the JSON that begins at *start*; other text may follow, such as a comment of a cache.

    It may contain lone surrogates, control characters and very long numbers: surrogates become
    question marks, numbers that are too large become infinity.
    """
    value, end = _DECODER.raw_decode(text, start)
    if text[end:].lstrip().startswith(_GOES_ON):
        raise ValueError("more text follows its end, so a part of it is damaged")
    return json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))


def _read_int(digits: str) -> int | float:
    return int(digits) if len(digits) < 100 else float(digits)


#: Start of a response; PHP warnings may come before it.
_ENVELOPE = re.compile(r"\{\s*\"status\"\s*:\s*\"")
_DECODER = json.JSONDecoder(strict=False, parse_int=_read_int)
#: First characters after JSON that was closed too early.
_GOES_ON = (",", ":", "]", "}", '"')


def _excerpt(body: bytes) -> str:
    text = re.sub(rb"<[^>]*>", b" ", body[:400]).decode("utf-8", "replace")
    return one_line(text, 120) or "it is empty"
