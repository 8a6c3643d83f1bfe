"""`ENDPOINTS`: the endpoints of the YTS API, each from a transaction and a query to a body."""

from collections.abc import Callable

from sqlalchemy.orm import Session

from database.serving.suggestions import suggest_movies
from database.serving.yts_json import (
    read_detailed_movie,
    read_list_movies,
    read_suggested_movies,
)
from database.serving.yts_lists import find_movie, read_page
from web.v2 import bodies
from web.v2.parameters import Query, read_list_request, read_movie_request

_SUGGESTIONS = 4

Endpoint = Callable[[Session, Query], bytes]


def list_movies(session: Session, query: Query) -> bytes:
    """Return the body of `list_movies.json`."""
    request = read_list_request(query)
    offset = (request.page - 1) * request.limit
    movie_count, ids = read_page(session, request.movies, limit=request.limit, offset=offset)
    movies = read_list_movies(session, ids) if ids else ""
    return bodies.list_body(movie_count, request.limit, request.page, movies)


def movie_details(session: Session, query: Query) -> bytes:
    """Return the body of `movie_details.json`: the ghost for a movie that is not there."""
    request = read_movie_request(query)
    movie_id = find_movie(session, movie_id=request.movie_id, imdb_code=request.imdb_code)
    movie = movie_id and read_detailed_movie(
        session, movie_id, with_images=request.with_images, with_cast=request.with_cast
    )
    return bodies.details_body(movie) if movie else bodies.ghost_body()


def movie_suggestions(session: Session, query: Query) -> bytes:
    """Return the body of `movie_suggestions.json`."""
    request = read_movie_request(query)
    movie_id = find_movie(session, movie_id=request.movie_id, imdb_code=request.imdb_code)
    ids = suggest_movies(session, movie_id, limit=_SUGGESTIONS) if movie_id else []
    return bodies.suggestions_body(read_suggested_movies(session, ids))


def movie_parental_guides(_session: Session, _query: Query) -> bytes:
    """Return the body of `movie_parental_guides.json`, the same for all movies."""
    return bodies.parental_guides_body()


ENDPOINTS: dict[str, Endpoint] = {
    "list_movies.json": list_movies,
    "movie_details.json": movie_details,
    "movie_suggestions.json": movie_suggestions,
    "movie_parental_guides.json": movie_parental_guides,
}
