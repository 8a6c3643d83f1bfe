"""`ENDPOINTS`: the endpoints of the YTS API, each from a query to a body and its revision."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from database.serving.prepared import Reading
from database.serving.suggestions import suggest_movies
from database.serving.yts_lists import find_movie
from database.serving.yts_reads import read_details, read_movies
from web.v2 import bodies
from web.v2.list_pages import ListPages
from web.v2.parameters import Query, read_list_request, read_movie_request

_SUGGESTIONS = 4

#: Returns the revision of the body, and the body.
Endpoint = Callable[[Query, Reading], tuple[str, bytes]]


class Endpoints:
    """The endpoints of one server; they are called on threads."""

    def __init__(self) -> None:
        self._pages = ListPages()

    def by_name(self) -> dict[str, Endpoint]:
        """Return all endpoints by their last part of the path."""
        return {
            "list_movies.json": self.list_movies,
            "movie_details.json": movie_details,
            "movie_suggestions.json": movie_suggestions,
            "movie_parental_guides.json": movie_parental_guides,
        }

    def list_movies(self, query: Query, reading: Reading) -> tuple[str, bytes]:
        """Return the body of `list_movies.json`."""
        request = read_list_request(query)
        offset = (request.page - 1) * request.limit
        page = self._pages.read(reading, request.movies, request.limit, offset)
        body = bodies.list_body(page.movie_count, request.limit, request.page, page.movies)
        return page.revision, body


def movie_details(query: Query, reading: Reading) -> tuple[str, bytes]:
    """Return the body of `movie_details.json`: the ghost for a movie that is not there."""
    request = read_movie_request(query)
    details = read_details(
        reading,
        request.movie_id or request.imdb_code,
        with_images=request.with_images,
        with_cast=request.with_cast,
    )
    if details.movie is None:
        return details.revision, bodies.ghost_body()
    body = bodies.details_body(details.movie, is_complete=details.is_complete)
    return details.revision, body


def movie_suggestions(query: Query, reading: Reading) -> tuple[str, bytes]:
    """Return the body of `movie_suggestions.json`."""
    request = read_movie_request(query)
    revision = reading.read_revision()
    with Session(reading.connection) as session:
        movie_id = find_movie(session, movie_id=request.movie_id, imdb_code=request.imdb_code)
        ids = suggest_movies(session, movie_id, limit=_SUGGESTIONS) if movie_id else []
    movies = read_movies(reading, ids, is_suggestion=True)[1] if ids else []
    return revision, bodies.suggestions_body(movies)


def movie_parental_guides(_query: Query, reading: Reading) -> tuple[str, bytes]:
    """Return the body of `movie_parental_guides.json`, the same for all movies."""
    return reading.read_revision(), bodies.parental_guides_body()
