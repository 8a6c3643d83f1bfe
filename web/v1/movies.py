"""`list_movies`, `one_movie`, `search`: reads of movies for the API v1."""

import json
import unicodedata
from dataclasses import asdict, dataclass
from typing import Any

from sqlalchemy.orm import Session

from database.search.changes import read_next_since
from database.search.filters import MovieFilter
from database.search.query import Found, search_movies
from database.serving.movie_json import read_movies_json
from database.serving.movie_lists import (
    MovieList,
    find_movie_ids,
    read_movie_part,
    read_movie_total,
)
from database.serving.name_hints import closest_names, suggest
from web.v1.cursors import check_time, decode_cursor, decode_place, encode_cursor
from web.v1.filters import read_filter
from web.v1.parameters import (
    MOST_FOUND,
    MovieQuery,
    MoviesQuery,
    SearchQuery,
    SuggestQuery,
)
from web.v1.problems import ProblemFound, check_complete
from web.v1.route import Items, Source, Span, next_place


def list_movies(source: Source, query: MoviesQuery, span: Span, person: int | None = None) -> Items:
    """Return movies in an order that is the same for all parts of the list."""
    session = source.session
    filters = read_filter(session, query)
    movies = MovieList(filters, query.sort, query.order == "reversed", person)
    # Only for clients that follow: the tag of a response that has it changes with each commit.
    follows = filters.added_since is not None or filters.updated_since is not None
    order = f"{query.sort} {query.order}{' since' if follows else ''}"
    after = decode_cursor(order, span.cursor)
    next_since = None
    if follows and after:
        # That of the first page: what changes before the last one may be on a page already read.
        next_since = check_time(after.pop(0))
    elif follows or span.is_stream:
        # Before the movies are read: see `read_next_since`.
        next_since = read_next_since(session).isoformat()
    part = read_movie_part(session, movies, after=after, limit=span.limit)
    cursor = None
    if part.position is not None:
        cursor = encode_cursor(order, [*([next_since] if follows else []), *part.position])
    return Items(
        read_movies_json(session, part.ids),
        cursor,
        {"total": read_movie_total(session, movies), "next_since": next_since},
    )


def one_movie(source: Source, query: MovieQuery) -> str:
    """Return one movie, also if YTS no longer has it."""
    (movie,) = read_all(source.session, [find_movie(source.session, query.movie)])
    return movie


def search(source: Source, query: SearchQuery, span: Span) -> Items:
    """Return the movies that a query names, or whose words or meaning match it."""
    session = source.session
    filters = read_filter(session, query)
    begin = decode_place("place", span.cursor)
    result = search_all(source, query.q, filters)
    shown = result.found[begin : begin + span.limit]
    movies = read_all(session, [each.row_id for each in shown])
    rows = [
        extended(
            movie,
            found_by=each.how,
            score=round(each.score, 4),
            parts=each.parts and each.parts.explain(),
        )
        for movie, each in zip(movies, shown, strict=True)
    ]
    cursor = next_place(begin, span.limit, len(result.found))
    more = {"by_meaning": result.note is None, "note": result.note, "did_you_mean": result.hints}
    return Items(rows, cursor, more)


def read_suggestions(source: Source, query: SuggestQuery) -> str:
    """Return titles, people and genres that begin like the query."""
    suggestions = suggest(source.session, query.q.strip(), query.limit)
    return json.dumps({"items": [asdict(each) for each in suggestions]}, separators=(",", ":"))


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The movies that a search has found."""

    found: list[Found]
    #: Why they were found by words alone; None if meaning counted as well.
    note: str | None
    #: Titles and names that are written nearly like the query, if nothing was found.
    hints: list[str]


def search_all(source: Source, text: str, filters: MovieFilter) -> SearchResult:
    """
    Return all movies that a search finds, the best first.

    Raises:
        NothingToSearch: *text* has neither letters nor digits.
    """
    session = source.session
    words = unicodedata.normalize("NFC", text)
    embedder = source.meaning.open(session)
    found = search_movies(
        session,
        words,
        embedder=embedder,
        filters=filters,
        # Always all, because more of them may come in another order.
        limit=MOST_FOUND,
    )
    note = source.meaning.note if embedder is None else None
    return SearchResult(found, note, [] if found else closest_names(session, text))


def find_movie(session: Session, reference: str) -> int:
    """
    Return `movies.id` of the movie with this YTS id or IMDb code.

    Raises:
        ProblemFound: there is none, or there are several.
    """
    ids = find_movie_ids(session, reference, limit=10)
    if len(ids) == 1:
        return ids[0]
    if ids:
        several = [json.loads(movie)["id"] for movie in read_movies_json(session, ids)]
        names = ", ".join(map(str, several))
        raise ProblemFound(
            409, f"Several movies have the IMDb code {reference}. Use one of their ids: {names}."
        )
    raise ProblemFound(
        404,
        f"The mirror has no movie with the id or IMDb code {reference}. Find its id with /search.",
    )


def read_all(session: Session, ids: list[int]) -> list[str]:
    """Return the movies with these ids, which were read just before; see `check_complete`."""
    movies = read_movies_json(session, ids)
    check_complete(movies, ids)
    return movies


def extended(movie: str, **more: Any) -> str:
    """Return the JSON object *movie* with *more* fields."""
    return f"{movie[:-1]},{json.dumps(more, separators=(',', ':'))[1:]}"
