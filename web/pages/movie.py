"""`read_movie`: what the page of one movie shows."""

from dataclasses import dataclass

from database.serving.movie_cards import MovieCard, read_cards
from database.serving.movie_pages import find_page
from web.pages.queries import MoviePageQuery
from web.v1.problems import ProblemFound
from web.v1.route import Source


@dataclass(frozen=True, slots=True)
class MovieView:
    """The page of a movie."""

    movie: MovieCard


def read_movie(source: Source, query: MoviePageQuery) -> MovieView:
    """
    Return the page of a movie.

    Raises:
        ProblemFound: there is no such movie.
    """
    row_id = find_page(source.session, query.movie)
    movies = [] if row_id is None else read_cards(source.session, [row_id])
    if not movies:
        raise ProblemFound(404, "The mirror has no movie at this address. Search for its title.")
    return MovieView(movies[0])
