"""`read_start`: what the start page shows."""

from dataclasses import dataclass

from database.serving.movie_cards import MovieCard, read_cards
from database.serving.movie_lists import MovieList, read_movie_part
from web.v1.parameters import Query
from web.v1.route import Source

#: As many as a row of the widest window has.
_CARDS = 7


@dataclass(frozen=True, slots=True)
class Row:
    """Some movies with a title, and where all of them are."""

    title: str
    movies: list[MovieCard]


@dataclass(frozen=True, slots=True)
class StartView:
    """The start page."""

    rows: list[Row]


def read_start(source: Source, _query: Query) -> StartView:
    """Return the start page."""
    part = read_movie_part(source.session, MovieList(order="newest"), limit=_CARDS)
    return StartView([Row("Newest", read_cards(source.session, part.ids))])
