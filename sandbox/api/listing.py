"""`ListIndex`: the ids on a page of `list_movies.json`, filtered and sorted as YTS does."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.torrents import Torrent

DEFAULT_LIMIT = 20
LARGEST_LIMIT = 50
_CACHED_SELECTIONS = 16

SortKey = Callable[[Catalogue, int], tuple[object, ...]]


def _by_likes(catalogue: Catalogue, movie_id: int) -> tuple[object, ...]:
    return (catalogue.facts(movie_id).like_count,)


#: Other names, date_added too, mean the order of adding. YTS reportedly does not sort by the
#: swarms it shows; all popularity keys sort by likes here.
_SORT_KEYS: dict[str, SortKey] = {
    "title": lambda catalogue, movie_id: ((catalogue.facts(movie_id).title or "").casefold(),),
    "year": lambda catalogue, movie_id: (catalogue.facts(movie_id).year,),
    "rating": lambda catalogue, movie_id: (catalogue.facts(movie_id).rating,),
    "like_count": _by_likes,
    "download_count": _by_likes,
    "seeds": _by_likes,
    "peers": _by_likes,
}


@dataclass(frozen=True, slots=True)
class Filter:
    """Filters and sort key of a list; the defaults choose all movies."""

    sort_by: str = "date_added"
    quality: str = "all"
    genre: str = "all"
    minimum_rating: float = 0.0
    query_term: str = "0"


@dataclass(frozen=True, slots=True)
class ListRequest:
    """One page of a list; invalid values of the query are replaced by defaults, as YTS does."""

    filter: Filter
    limit: int
    page: int
    is_ascending: bool


@dataclass(frozen=True, slots=True)
class Rows:
    """The ids of a page (may be empty), and `movie_count`."""

    movie_count: int
    ids: Sequence[int]


class ListIndex:
    """Reads pages of lists; caches the last selections until the catalogue changes."""

    def __init__(self, catalogue: Catalogue) -> None:
        self._catalogue = catalogue
        self._selection = lru_cache(_CACHED_SELECTIONS)(self._select)

    def rows(self, request: ListRequest) -> Rows:
        """Return one page. A page past the end has no rows and a positive count."""
        ids, movie_count = self._selection(request.filter, self._catalogue.version)
        start = (request.page - 1) * request.limit
        if request.is_ascending:
            return Rows(movie_count, ids[start : start + request.limit])
        stop = max(len(ids) - start, 0)
        return Rows(movie_count, ids[max(stop - request.limit, 0) : stop][::-1])

    def _select(self, chosen: Filter, _version: int) -> tuple[Sequence[int], int]:
        """Return all rows in ascending order, and the `movie_count` that YTS would send."""
        catalogue = self._catalogue
        ids: Sequence[int] = catalogue.order
        if key := _SORT_KEYS.get(chosen.sort_by):
            ids = sorted(catalogue.ids, key=lambda movie_id: (*key(catalogue, movie_id), movie_id))
        if chosen.genre != "all":
            ids = [i for i in ids if chosen.genre in map(str.lower, catalogue.facts(i).genres)]
        if chosen.minimum_rating > 0:
            ids = [i for i in ids if catalogue.facts(i).rating >= chosen.minimum_rating]
        if chosen.quality != "all":
            # A movie appears once for each matching torrent, on the page and in the count.
            ids = [i for i in ids for torrent in _shown(catalogue, i) if _is(torrent, chosen)]
        if chosen.query_term == "0":
            return ids, len(ids)
        return _search(catalogue, ids, chosen.query_term)


def read_list_request(query: Mapping[str, str]) -> ListRequest:
    """Return the request of a query string; it never fails."""
    limit = read_number(query.get("limit"), DEFAULT_LIMIT)
    return ListRequest(
        filter=Filter(
            sort_by=query.get("sort_by", "").strip().lower() or "date_added",
            quality=query.get("quality", "").strip().lower() or "all",
            genre=query.get("genre", "").strip().lower() or "all",
            minimum_rating=_read_rating(query.get("minimum_rating", "")),
            query_term=query.get("query_term", "").strip().lower() or "0",
        ),
        limit=min(limit, LARGEST_LIMIT) if limit > 0 else DEFAULT_LIMIT,
        page=max(read_number(query.get("page"), 1), 1),
        is_ascending=query.get("order_by", "").strip().lower() == "asc",
    )


def _read_rating(text: str) -> float:
    """Return the rating in *text*, which may have decimals; 0 if it is not from 0 to 10."""
    match = re.fullmatch(r"[0-9]{1,2}(\.[0-9]{0,4})?", text.strip())
    rating = float(match[0]) if match else 0.0
    return rating if rating <= 10 else 0.0


def _search(catalogue: Catalogue, ids: Iterable[int], term: str) -> tuple[Sequence[int], int]:
    """Find an IMDb code, or movies with all words in their long title."""
    if term.startswith("tt") and term[2:].isdigit():
        matches = [i for i in ids if catalogue.imdb_code(i) == term]
        return matches, len(matches)
    words = term.split()
    plain = [word for word in words if not _is_year(word)]
    candidates = [i for i in ids if _has_words(catalogue, i, plain)]
    matches = [i for i in candidates if _has_words(catalogue, i, words)]
    # With a wrong year YTS still counts the movies, but sends none.
    return matches, len(matches) or len(candidates)


def _has_words(catalogue: Catalogue, movie_id: int, words: Iterable[str]) -> bool:
    title = catalogue.facts(movie_id).title_long.lower()
    return all(word in title for word in words)


def _is_year(word: str) -> bool:
    return len(word) == 4 and word.isdigit()


def _shown(catalogue: Catalogue, movie_id: int) -> tuple[Torrent, ...]:
    hidden = {"torrents absent", "torrents null"} & catalogue.quirks(movie_id)
    return () if hidden else catalogue.torrents(movie_id)


def _is(torrent: Torrent, chosen: Filter) -> bool:
    quality, _, codec = chosen.quality.partition(".")
    made = torrent.format
    return made.quality.lower() == quality and codec in ("", made.video_codec)


def read_number(text: str | None, default: int) -> int:
    """Return the whole number in *text*, decimals cut off, or *default* if it is not valid."""
    match = re.fullmatch(r"([0-9]{1,9})(\.[0-9]*)?", (text or "").strip())
    return int(match[1]) if match else default
