"""`read_list_request`, `read_movie_request`: queries of the YTS API, read leniently."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass

from database.serving.yts_lists import SortBy, YtsList

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 50
#: No page or id is larger.
_LARGEST_NUMBER = 2**31 - 1
_TRUE = frozenset({"true", "1", "yes", "on"})
_ANY = frozenset({"", "0", "all"})
_IMDB_CODE = re.compile(r"tt\d{5,10}", re.IGNORECASE)
#: YTS cannot sort by swarms and downloads either; likes are the popularity that the mirror has.
_SORT_KEYS: dict[str, SortBy] = {
    "title": "title",
    "year": "year",
    "rating": "rating",
    "like_count": "like_count",
    "download_count": "like_count",
    "seeds": "like_count",
    "peers": "like_count",
}

Query = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A page of `list_movies.json`."""

    movies: YtsList
    limit: int = DEFAULT_LIMIT
    page: int = 1


@dataclass(frozen=True, slots=True)
class MovieRequest:
    """A movie by its id or, if that is 0, by its IMDb code."""

    movie_id: int = 0
    imdb_code: str = ""
    with_images: bool = False
    with_cast: bool = False


#: Parameters that an endpoint reads; clients send others, which change nothing.
_KNOWN = frozenset(
    {
        "limit", "page", "quality", "minimum_rating", "query_term", "genre", "sort_by",
        "order_by", "movie_id", "imdb_id", "with_images", "with_cast",
    }
)  # fmt: skip
#: Longer values are cut off.
_LONGEST_VALUE = 300
#: Further words change nothing; PostgreSQL looks for each in all titles.
_MOST_WORDS = 12


def normalized(query: Query) -> dict[str, str]:
    """Return the parameters that count, in one spelling, so that equal requests are equal."""
    return {
        name: value[:_LONGEST_VALUE].replace("\0", "").strip().lower()
        for name, value in query.items()
        if name in _KNOWN
    }


def read_list_request(query: Query) -> ListRequest:
    """Return the request of a `normalized` query; values without sense become the default."""
    limit = read_number(query, "limit") or DEFAULT_LIMIT
    quality, _, codec = _read_choice(query, "quality").partition(".")
    term = query.get("query_term", "")
    term = "" if term == "0" else term
    is_code = _IMDB_CODE.fullmatch(term) is not None
    return ListRequest(
        YtsList(
            sort_by=_SORT_KEYS.get(query.get("sort_by", ""), "date_added"),
            is_ascending=query.get("order_by", "") == "asc",
            genre=_read_choice(query, "genre"),
            quality=quality,
            video_codec=codec,
            minimum_rating=_read_rating(query.get("minimum_rating", "")),
            words=() if is_code else tuple(term.split()[:_MOST_WORDS]),
            imdb_code=term if is_code else "",
        ),
        limit=min(limit, LARGEST_LIMIT),
        page=read_number(query, "page") or 1,
    )


def read_movie_request(query: Query) -> MovieRequest:
    """Return the request of a `normalized` query; a value that makes no sense names no movie."""
    code = query.get("imdb_id", "")
    return MovieRequest(
        movie_id=0 if code else read_number(query, "movie_id"),
        imdb_code=code if _IMDB_CODE.fullmatch(code) else "",
        with_images=_read_flag(query, "with_images"),
        with_cast=_read_flag(query, "with_cast"),
    )


def read_number(query: Query, name: str) -> int:
    """
    Return a positive whole number, decimals cut off; 0 if it is absent or makes no sense.

    One that is too large becomes `_LARGEST_NUMBER`, which is neither a page nor an id.
    """
    number = _read_float(query.get(name, ""))
    return int(min(number, _LARGEST_NUMBER)) if number >= 1 else 0


def _read_rating(text: str) -> float:
    rating = _read_float(text)
    return rating if 0 < rating <= 10 else 0.0


def _read_float(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        return 0.0
    return number if math.isfinite(number) else 0.0


def _read_choice(query: Query, name: str) -> str:
    value = query.get(name, "")
    return "" if value in _ANY else value


def _read_flag(query: Query, name: str) -> bool:
    return query.get(name, "") in _TRUE
