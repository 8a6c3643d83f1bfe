"""`read_browse`: a page of a sorted list of movies, with the filters of `query_movies.py`."""

from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from database.counts import read_movie_count
from database.search.filters import LANGUAGES, MovieFilter
from database.serving.movie_cards import MovieCard, read_cards
from database.serving.movie_lists import (
    MovieList,
    MovieOrder,
    read_movie_total,
)
from database.stats import read_top_genres
from web.pages.filter_chips import Chip, Pair, chips_of, language_name, pairs_of
from web.pages.paging import place_of, read_page
from web.pages.queries import BrowseQuery
from web.v1.filters import read_filter
from web.v1.route import Source

#: A multiple of 2, 4 and 6 columns.
ON_PAGE = 48
MOST_GENRES = 100
#: Order: its link, and its opposite.
ORDERS: dict[MovieOrder, tuple[str, str]] = {
    "newest": ("Newest", "Oldest uploads first"),
    "likes": ("Most liked", "Least liked first"),
    "rating": ("Best rated", "Worst rated first"),
    "year": ("Year", "Oldest films first"),
    "title": ("Title", "From Z to A"),
    "added": ("Added here", "Longest in this mirror first"),
    "updated": ("Changed", "Unchanged for longest first"),
}
QUALITIES = ("480p", "720p", "1080p", "2160p", "3D")


@dataclass(frozen=True, slots=True)
class SortLink:
    """An order that the list can have."""

    name: str
    parameters: list[Pair]
    is_current: bool


@dataclass(frozen=True, slots=True)
class BrowseView:
    """A page of a list of movies."""

    query: BrowseQuery
    movies: list[MovieCard]
    #: None where it would have to be counted.
    total: int | None
    #: Whether the mirror has no movies at all.
    is_empty: bool
    chips: list[Chip]
    sorts: list[SortLink]
    opposite: SortLink
    #: Parameters of the pages beside this one; None where there is none.
    previous: list[Pair] | None
    following: list[Pair] | None
    #: Value and name of each choice.
    genres: list[Pair]
    languages: list[Pair]
    qualities: list[str]


def read_browse(source: Source, query: BrowseQuery) -> BrowseView:
    """
    Return a page of a list.

    Raises:
        ProblemFound, BadPosition: the filters or the place are not valid.
    """
    session = source.session
    movies = MovieList(read_page_filter(session, query), query.sort, query.order == "reversed")
    part = read_page(session, movies, after=query.after, before=query.before, limit=ON_PAGE)
    pairs = pairs_of(query)
    previous = place_of(movies, "before", part.begin)
    following = place_of(movies, "after", part.position)
    genres = sorted(genre.name for genre in read_top_genres(session, MOST_GENRES))
    return BrowseView(
        query=query,
        movies=read_cards(session, part.ids),
        total=read_movie_total(session, movies),
        is_empty=not part.ids and not read_movie_count(session),
        chips=chips_of(query),
        sorts=[_sort_link(query, order) for order in ORDERS],
        opposite=_opposite(query),
        previous=None if previous is None else [*pairs, *previous],
        following=None if following is None else [*pairs, *following],
        genres=[(genre, genre) for genre in genres],
        languages=_languages(query),
        qualities=_with_chosen(QUALITIES, query.quality),
    )


def read_page_filter(session: Session, query: BrowseQuery) -> MovieFilter:
    """Return the filter; to look up whether any movie has a quality or a language reads all."""
    codes = (LANGUAGES.get(name.strip().lower(), name.strip()) for name in query.language)
    filters = read_filter(session, query.model_copy(update={"quality": None, "language": ()}))
    return replace(filters, quality=query.quality, languages=tuple(codes))


def _sort_link(query: BrowseQuery, order: MovieOrder) -> SortLink:
    changed = query.model_copy(update={"sort": order, "order": "usual"})
    return SortLink(ORDERS[order][0], pairs_of(changed), query.sort == order)


def _opposite(query: BrowseQuery) -> SortLink:
    is_reversed = query.order == "reversed"
    changed = query.model_copy(update={"order": "usual" if is_reversed else "reversed"})
    name = ORDERS.get(query.sort, ("", "Smallest id first"))[1]
    return SortLink(name, pairs_of(changed), is_reversed)


def _languages(query: BrowseQuery) -> list[Pair]:
    """Return all languages that have a name, and those that are chosen."""
    codes = {*LANGUAGES.values(), *query.language}
    return sorted(((code, language_name(code)) for code in codes), key=lambda pair: pair[1])


def _with_chosen(usual: tuple[str, ...], chosen: str | None) -> list[str]:
    return [*usual, *([chosen] if chosen and chosen not in usual else [])]
