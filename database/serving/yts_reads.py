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


def _with_head(head: str, columns: str, found: str) -> str:
    """Return a statement with at least one row: the revision, *head*, and *columns* of *found*."""
    return f"""
        SELECT head.*, {columns} FROM (SELECT {REVISION} {head}) head
        LEFT JOIN LATERAL ({found}) found ON true"""  # noqa: S608 -- only constants


_KINDS: Final = {
    is_suggestion: Prepared(
        "yts_suggestions" if is_suggestion else "yts_movies",
        "integer[]",
        _with_head("", "place, movie", list_json("$1", is_suggestion=is_suggestion)),
    )
    for is_suggestion in (False, True)
}


def _details(by_code: bool, with_images: bool, with_cast: bool) -> str:  # noqa: FBT001 -- a key below
    condition = "m.imdb_code = $1" if by_code else "m.external_id = $1"
    return details_json(condition, with_images=with_images, with_cast=with_cast)


_DETAILS: Final = {
    (by_code, with_images, with_cast): Prepared(
        f"yts_details_{by_code:d}{with_images:d}{with_cast:d}",
        "text" if by_code else "integer",
        _with_head("", "movie, is_complete", _details(by_code, with_images, with_cast)),
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
        rows = reading.read_rows(statement, limit, offset)
        revision, movie_count, *_ = rows[0]
        return Page(revision, int(movie_count), _in_order(rows))
    ids = func.array(select_ids(wanted).limit(limit).offset(offset).scalar_subquery())
    query = select(literal_column(REVISION), count_movies(wanted), ids)
    revision, movie_count, page = reading.connection.execute(query).one()
    return Page(revision, movie_count, read_movies(reading, page)[1] if page else [])


def read_movies(
    reading: Reading, ids: Sequence[int], *, is_suggestion: bool = False
) -> tuple[str, list[str]]:
    """Return the revision, and the movies with these YTS ids as JSON, in their order."""
    rows = reading.read_rows(_KINDS[is_suggestion], list(ids))
    return rows[0][0], _in_order(rows)


def _in_order(rows: list[tuple[Any, ...]]) -> list[str]:
    """Return the movies of rows that end with place and movie; there is one row without any."""
    return [movie for place, movie in sorted(row[-2:] for row in rows) if place is not None]


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
        _with_head(f", {_sql(count_movies(wanted))}", "place, movie", movies),
    )


def _sql(query: Select[Any] | ColumnElement[Any]) -> str:
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # not annotated there
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
