"""`find_movies`: movies by id, IMDb code, URL or title; `keys_of`, `sort_of`: orders of lists."""

from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import Session, selectinload

from database.models import Movie, MovieCast
from database.search.keyset import LONGEST_KEY, Key, order_by
from database.search.references import has_imdb_code, has_page, has_title

SearchOrder = Literal["rating", "likes", "year", "title", "newest", "added", "updated"]
SortName = Literal["id", "title", "year", "rating", "likes", "uploaded"]
Query = TypeVar("Query", bound=Select[Any])

#: The largest id that the column can hold.
_LARGEST_ID = 2**31 - 1
_RATING = Key(Movie.rating.expression, is_descending=True, has_nulls=True)
_LIKES = Key(Movie.like_count.expression, is_descending=True, has_nulls=True)
_YEAR = Key(Movie.year.expression, is_descending=True, has_nulls=True)
_UPLOADED = Key(Movie.date_uploaded.expression, "time", is_descending=True, has_nulls=True)
#: Bounded, because a client gets the key of the last row of a page.
_TITLE = Key(func.left(Movie.title, LONGEST_KEY), "text")
_ADDED = Key(Movie.created_at.expression, "time", is_descending=True)
_UPDATED = Key(Movie.updated_at.expression, "time", is_descending=True)
_ID = Key(Movie.external_id.expression)
_KEYS: dict[SearchOrder, tuple[Key, ...]] = {
    "rating": (_RATING, _LIKES, _ID),
    "likes": (_LIKES, _RATING, _ID),
    "year": (_YEAR, _RATING, _ID),
    "title": (_TITLE, _ID),
    "newest": (_UPLOADED, _ID),
    # One transaction stores many movies; the ones that YTS added last come first.
    "added": (_ADDED, _ID.reversed()),
    "updated": (_UPDATED, _ID.reversed()),
}
_SORTS: dict[SortName, tuple[Key, ...]] = {
    "id": (_ID,),
    "title": _KEYS["title"],
    "year": _KEYS["year"],
    "rating": _KEYS["rating"],
    "likes": _KEYS["likes"],
    "uploaded": _KEYS["newest"],
}


def with_links(query: Query) -> Query:
    """Let a query for movies load genres, cast and torrents: one more statement for each."""
    return query.options(
        selectinload(Movie.genres),
        selectinload(Movie.cast_links).joinedload(MovieCast.cast),
        selectinload(Movie.torrents),
    )


def keys_of(order: SearchOrder) -> tuple[Key, ...]:
    """Return the keys of an order of movies; no two movies are equal."""
    return _KEYS[order]


def order_of(order: SearchOrder) -> list[ColumnElement[Any]]:
    """Return the columns to sort movies by, in a unique order."""
    return order_by(keys_of(order))


def sort_of(name: SortName, *, is_descending: bool) -> list[ColumnElement[Any]]:
    """Return the columns to sort movies by in this direction; unknown values are last."""
    keys = _SORTS[name]
    is_usual = keys[0].is_descending == is_descending
    return order_by(keys if is_usual else [key.reversed() for key in keys])


def find_movies(session: Session, reference: str, limit: int) -> list[int]:
    """
    Return `movies.id` of the movies that *reference* names.

    The first of these that any movie matches is used: a YTS id; an IMDb code, or the URL of a page
    at IMDb or YTS; a title, also with the year; the beginning of a title.
    """
    wanted = reference.replace("\0", "").strip()
    # Lists show ids, so an id comes before a title that is the same number.
    if wanted.isdecimal() and int(wanted) <= _LARGEST_ID:
        movies = _read(session, Movie.external_id == int(wanted), limit)
        if movies:
            return movies
    for condition in (has_imdb_code(wanted), has_page(wanted)):
        if condition is not None:
            return _read(session, condition, limit)
    return _read(session, has_title(wanted), limit) or _read(session, _begins_with(wanted), limit)


def _begins_with(title: str) -> ColumnElement[bool]:
    key = func.search_key(Movie.title)
    wanted = func.search_key(title)
    # A range from the beginning to the first text after all texts that begin like this.
    return (func.left(key, func.length(wanted)) == wanted) & (func.length(wanted) > 1)


def _read(session: Session, condition: ColumnElement[bool], limit: int) -> list[int]:
    query = select(Movie.id).where(condition).order_by(*order_of("likes")).limit(limit)
    return list(session.scalars(query))
