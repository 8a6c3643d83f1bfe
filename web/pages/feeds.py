"""`read_feed`: an Atom feed of the movies that this mirror stored last, also of some movies."""

from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID, uuid5

from database.search.filters import MovieFilter
from database.search.query import NothingToSearch
from database.serving.feed_entries import FeedEntry, read_feed_entries
from database.serving.movie_cards import MovieCard
from database.serving.movie_lists import MovieList, read_movie_part
from web.pages.browse import read_page_filter
from web.pages.filter_chips import Pair, chips_of, pairs_of
from web.pages.queries import FeedQuery
from web.v1.movies import search_all
from web.v1.problems import ProblemFound
from web.v1.route import Source

ATOM = "application/atom+xml"
#: Movies of a feed.
ENTRIES = 50
#: Ids that are made with it are the same at all addresses of a server, and always.
_NAMESPACE = UUID("21e10a12-59f2-4de8-93ec-04d7694fc2a0")
#: A feed has the newest movies of a list, whatever the order and the place of the list.
_IGNORED = {"sort": "newest", "order": "usual", "after": None, "before": None, "with_gone": False}
#: The time of a feed without movies.
_NEVER = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True)
class Entry:
    """A movie in a feed."""

    id: str
    movie: MovieCard
    published: str
    updated: str
    description: str


@dataclass(frozen=True, slots=True)
class FeedView:
    """A feed."""

    id: str
    title: str
    #: The newest change of an entry.
    updated: str
    #: The parameters of its address, in one order.
    parameters: list[Pair]
    #: The page of the same movies, and its parameters.
    page: str
    page_parameters: list[Pair]
    entries: list[Entry]


def read_feed(source: Source, query: FeedQuery) -> FeedView:
    """
    Return the feed of the movies that *query* names; it has an order of its own.

    Raises:
        ProblemFound: the filters are not valid, or there is nothing to search.
    """
    wanted = query.model_copy(update=_IGNORED)
    session, filters = source.session, read_page_filter(source.session, wanted)
    if wanted.q is None:
        ids = read_movie_part(session, MovieList(filters, "added"), limit=ENTRIES).ids
    else:
        ids = _search(source, wanted.q, filters)
    entries = read_feed_entries(session, ids, ENTRIES)
    parameters = pairs_of(wanted)
    page = ("/search", [("q", wanted.q)]) if wanted.q else ("/browse", parameters)
    return FeedView(
        id=_id_of(f"feed {sorted(parameters)}"),
        title=_title_of(wanted),
        updated=_rfc3339(max((entry.updated_at for entry in entries), default=_NEVER)),
        parameters=parameters,
        page=page[0],
        page_parameters=page[1],
        entries=[_entry(entry) for entry in entries],
    )


def _search(source: Source, text: str, filters: MovieFilter) -> list[int]:
    try:
        return [each.row_id for each in search_all(source, text, filters).found]
    except NothingToSearch as error:
        raise ProblemFound(400, str(error)) from error


def _title_of(query: FeedQuery) -> str:
    """Return the title: what the movies have in common."""
    parts = [*([f"“{query.q}”"] if query.q else []), *(chip.text for chip in chips_of(query))]
    return f"YTS mirror: {', '.join(parts) or 'new movies'}"


def _entry(entry: FeedEntry) -> Entry:
    return Entry(
        id=_id_of(f"movie {entry.movie.id}"),
        movie=entry.movie,
        published=_rfc3339(entry.published_at),
        updated=_rfc3339(entry.updated_at),
        description=entry.description,
    )


def _id_of(name: str) -> str:
    return uuid5(_NAMESPACE, name).urn


def _rfc3339(time: datetime) -> str:
    return f"{time.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"
