"""`read_page`, `read_movies`, `read_details`, ...: reads of the YTS API, one statement for each."""

from array import array
from collections.abc import Sequence
from functools import cache
from itertools import product
from sys import byteorder
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Dialect, Select, func, literal_column, select
from sqlalchemy.dialects import postgresql

from database.serving.prepared import REVISION, Prepared, Reading
from database.serving.yts_json import details_json, list_json
from database.serving.yts_lists import SortBy, YtsList, count_movies, select_ids


def _with_head(movies: str, movie_count: str = "NULL") -> str:
    """
    Return a statement with a row for the revision and the count, and one for each of *movies*.

    Two values in each row would cost a tenth of a page.
    """
    return f"""
        SELECT {REVISION}, ({movie_count})::bigint, NULL::bigint AS place, NULL AS movie
        UNION ALL SELECT NULL, NULL, place, movie FROM ({movies}) listed"""  # noqa: S608 -- constants


_KINDS: Final = {
    is_suggestion: Prepared(
        "yts_suggestions" if is_suggestion else "yts_movies",
        "integer[]",
        _with_head(list_json("$1", is_suggestion=is_suggestion)),
    )
    for is_suggestion in (False, True)
}


def _details(by_code: bool, with_images: bool, with_cast: bool) -> str:  # noqa: FBT001 -- a key below
    condition = "m.imdb_code = $1" if by_code else "m.external_id = $1"
    found = details_json(condition, with_images=with_images, with_cast=with_cast)
    return f"""
        SELECT revision, movie, is_complete FROM (SELECT {REVISION} AS revision) head
        LEFT JOIN LATERAL ({found}) found ON true"""  # noqa: S608 -- only constants


_DETAILS: Final = {
    (by_code, with_images, with_cast): Prepared(
        f"yts_details_{by_code:d}{with_images:d}{with_cast:d}",
        "text" if by_code else "integer",
        _details(by_code, with_images, with_cast),
    )
    for by_code, with_images, with_cast in product((False, True), repeat=3)
}


class Page(NamedTuple):
    """A page of a list: its movies as JSON."""

    revision: str
    movie_count: int
    movies: list[str]


class Details(NamedTuple):
    """A movie with its details."""

    revision: str
    #: As JSON; None if there is no such movie, or it is gone.
    movie: str | None
    #: False for a movie that is known from a list alone.
    is_complete: bool


def read_page(reading: Reading, wanted: YtsList, *, limit: int, offset: int) -> Page:
    """Return a page of a list with its movies in the order of the list."""
    if not wanted.is_filtered:
        statement = _page_statement(wanted.sort_by, is_ascending=wanted.is_ascending)
        return _page(reading.read_rows(statement, limit, offset))
    ids = func.array(select_ids(wanted).limit(limit).offset(offset).scalar_subquery())
    query = select(literal_column(REVISION), count_movies(wanted), ids)
    revision, movie_count, page = reading.connection.execute(query).one()
    return Page(revision, movie_count, read_movies(reading, page)[1] if page else [])


def read_movies(
    reading: Reading, ids: Sequence[int], *, is_suggestion: bool = False
) -> tuple[str, list[str]]:
    """Return the revision, and the movies with these YTS ids as JSON, in their order."""
    page = _page(reading.read_rows(_KINDS[is_suggestion], list(ids)))
    return page.revision, page.movies


def _page(rows: list[tuple[Any, ...]]) -> Page:
    """Return the page of rows in any order."""
    ((revision, movie_count, *_),) = (row for row in rows if row[0] is not None)
    places = sorted((place, movie) for _, _, place, movie in rows if place is not None)
    return Page(revision, movie_count, [movie for _, movie in places])


def read_ids(reading: Reading, wanted: YtsList) -> "tuple[str, array[int]]":
    """Return the revision, and the YTS ids of a whole list."""
    listed = select_ids(wanted).subquery()
    # As bytes, because a driver needs a moment for each number.
    sent = func.int4send(listed.c.external_id)
    packed = select(func.string_agg(sent, literal_column("''::bytea"))).scalar_subquery()
    revision, content = reading.connection.execute(select(literal_column(REVISION), packed)).one()
    ids = array("i", bytes(content or b""))
    if byteorder == "little":
        ids.byteswap()
    return revision, ids


def read_details(
    reading: Reading, movie: int | str, *, with_images: bool, with_cast: bool
) -> Details:
    """Return the movie with this YTS id or IMDb code as in `movie_details.json`."""
    statement = _DETAILS[isinstance(movie, str), with_images, with_cast]
    ((revision, details, is_complete),) = reading.read_rows(statement, movie)
    return Details(revision, details, bool(is_complete))


@cache
def _page_statement(sort_by: SortBy, *, is_ascending: bool) -> Prepared:
    wanted = YtsList(sort_by, is_ascending)
    page = select_ids(wanted).limit(literal_column("$1")).offset(literal_column("$2"))
    movies = list_json(f"ARRAY({_sql(page)})")
    return Prepared(
        f"yts_page_{sort_by}_{is_ascending:d}",
        "integer, bigint",
        _with_head(movies, _sql(count_movies(wanted))),
    )


def _sql(query: Select[Any] | ColumnElement[Any]) -> str:
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # not annotated there
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
