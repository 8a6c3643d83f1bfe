"""`Endpoints`: the endpoints of the YTS API, each from a query to a body and its revision."""

from collections.abc import Awaitable, Callable
from functools import partial

from sqlalchemy.orm import Session

from database.serving.suggestions import suggest_movies
from database.serving.yts_lists import find_movie
from web.cache import CachedBody
from web.reader import CatalogueReader
from web.v2 import bodies
from web.v2.details_batches import DetailsBatches
from web.v2.list_pages import ListPages
from web.v2.movie_store import MovieStore
from web.v2.parameters import MovieRequest, Query, read_list_request, read_movie_request

_SUGGESTIONS = 4

#: Returns a revision that the body is not older than, and the body.
Endpoint = Callable[[Query], Awaitable[tuple[str, CachedBody]]]


class Endpoints:
    """The endpoints of one server."""

    def __init__(self, reader: CatalogueReader, movie_bytes: int) -> None:
        """Read with *reader*, and keep movies of at most *movie_bytes*."""
        self._reader = reader
        self._movies = MovieStore(movie_bytes)
        reader.forgetting.append(self._movies.clear)
        self._pages = ListPages(reader, self._movies)
        self._details = DetailsBatches(reader)

    def by_name(self) -> dict[str, Endpoint]:
        """Return all endpoints by their last part of the path."""
        return {
            "list_movies.json": self.list_movies,
            "movie_details.json": self.movie_details,
            "movie_suggestions.json": self.movie_suggestions,
            "movie_parental_guides.json": self.movie_parental_guides,
        }

    async def list_movies(self, query: Query) -> tuple[str, CachedBody]:
        """Return the body of `list_movies.json`."""
        request = read_list_request(query)
        offset = (request.page - 1) * request.limit
        revision, page = await self._pages.read(request.movies, request.limit, offset)
        body = bodies.list_body(page.movie_count, request.limit, request.page, page.movies)
        return revision, body

    async def movie_details(self, query: Query) -> tuple[str, CachedBody]:
        """Return the body of `movie_details.json`: the ghost for a movie that is not there."""
        revision, details = await self._details.read(read_movie_request(query))
        if details is None:
            return revision, bodies.ghost_body()
        return revision, bodies.details_body(details.movie, is_complete=details.is_complete)

    async def movie_suggestions(self, query: Query) -> tuple[str, CachedBody]:
        """Return the body of `movie_suggestions.json`."""
        revision = await self._reader.revision()
        ids = await self._reader.run(partial(_suggest, read_movie_request(query)))
        if not ids:
            return revision, bodies.suggestions_body([])
        read = partial(self._movies.read, ids=ids, is_suggestion=True)
        _, movies = await self._reader.run_prepared(read)
        return revision, bodies.suggestions_body(movies)

    async def movie_parental_guides(self, _query: Query) -> tuple[str, CachedBody]:
        """Return the body of `movie_parental_guides.json`, the same for all movies."""
        return await self._reader.revision(), bodies.parental_guides_body()


def _suggest(request: MovieRequest, session: Session) -> list[int]:
    movie_id = find_movie(session, movie_id=request.movie_id, imdb_code=request.imdb_code)
    return suggest_movies(session, movie_id, limit=_SUGGESTIONS) if movie_id else []
