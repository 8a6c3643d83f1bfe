"""`read_page`: the part of a list of movies that a page shows, with links in both directions."""

from dataclasses import replace

from sqlalchemy.orm import Session

from database.search.keyset import Position
from database.serving.movie_lists import (
    MovieList,
    Part,
    read_movie_part,
    read_movies_before,
)
from web.pages.filter_chips import Pair
from web.v1.cursors import decode_cursor, encode_cursor


def read_page(
    session: Session, movies: MovieList, *, after: str | None, before: str | None, limit: int
) -> Part:
    """
    Return the movies of a page: the first ones, those *after* a cursor, or those *before* one.

    Raises:
        BadPosition: a cursor is not one of this list.
    """
    order = _order_of(movies)
    if before is not None:
        part = read_movies_before(session, movies, before=decode_cursor(order, before), limit=limit)
        if part.begin is not None:
            return part
        # There are not enough movies for a page before this one: it is the first.
        after = None
    part = read_movie_part(session, movies, after=decode_cursor(order, after), limit=limit)
    return part if after is not None else replace(part, begin=None)


def place_of(movies: MovieList, name: str, position: Position | None) -> list[Pair] | None:
    """Return the parameter *name* of the page at *position*; None if there is no page."""
    return None if position is None else [(name, encode_cursor(_order_of(movies), position))]


def _order_of(movies: MovieList) -> str:
    return f"{movies.order} {'reversed' if movies.is_reversed else 'usual'}"
