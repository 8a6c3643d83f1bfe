"""`find_movies`: movies by id, IMDb code, URL or title; `order_of`: the order of a list."""

from typing import Any, Literal, TypeVar

from sqlalchemy import ColumnElement, Select, UnaryExpression, func, select
from sqlalchemy.orm import Session, selectinload

from database.models import Movie, MovieCast
from database.search.references import has_imdb_code, has_page, has_title

SearchOrder = Literal["rating", "likes", "year", "title", "newest", "added", "updated"]
Query = TypeVar("Query", bound=Select[Any])

#: The largest id that a column of them can hold.
_LARGEST_ID = 2**31 - 1
_ORDERS: dict[SearchOrder, list[UnaryExpression[Any]]] = {
    "rating": [Movie.rating.desc().nulls_last(), Movie.like_count.desc().nulls_last()],
    "likes": [Movie.like_count.desc().nulls_last(), Movie.rating.desc().nulls_last()],
    "year": [Movie.year.desc().nulls_last(), Movie.rating.desc().nulls_last()],
    "title": [Movie.title.asc()],
    "newest": [Movie.date_uploaded.desc().nulls_last()],
    # One transaction stores many movies; the ones that YTS added last come first.
    "added": [Movie.created_at.desc(), Movie.external_id.desc()],
    "updated": [Movie.updated_at.desc(), Movie.external_id.desc()],
}


def with_links(query: Query) -> Query:
    """Let *query*, of movies, bring genres, cast and torrents: one more statement for each."""
    return query.options(
        selectinload(Movie.genres),
        selectinload(Movie.cast_links).joinedload(MovieCast.cast),
        selectinload(Movie.torrents),
    )


def order_of(order: SearchOrder) -> list[ColumnElement[Any]]:
    """Return what to sort movies by, so that no two of them are equal."""
    return [*_ORDERS[order], Movie.external_id.asc()]


def find_movies(session: Session, reference: str, limit: int) -> list[int]:
    """
    Return `movies.id` of what *reference* names.

    The first of these that any movie has: a YTS id; an IMDb code, or the URL of a page at IMDb
    or YTS; a title, also with the year; the beginning of a title.
    """
    wanted = reference.replace("\0", "").strip()
    # Lists show ids: each must name its movie, though another one may have the number as title.
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
    # Between the beginning and what would come after all that begin like this.
    return (func.left(key, func.length(wanted)) == wanted) & (func.length(wanted) > 1)


def _read(session: Session, condition: ColumnElement[bool], limit: int) -> list[int]:
    query = select(Movie.id).where(condition).order_by(*order_of("likes")).limit(limit)
    return list(session.scalars(query))
