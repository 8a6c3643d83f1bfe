"""`read_page_ids`, `read_movies`, `read_details`, ...: reads of the YTS API."""

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


def _with_head(rows: str) -> str:
    """Return a statement with a row for the revision, before *rows*, which have three columns."""
    return f"""
        SELECT {REVISION} AS snapshot, NULL::bigint, NULL::text, NULL::text
        UNION ALL SELECT NULL, * FROM ({rows}) listed"""  # noqa: S608 -- constants


_MOVIES: Final = {
    is_suggestion: Prepared(
        "yts_suggestions" if is_suggestion else "yts_movies",
        "integer[], text",
        _with_head(list_json(is_suggestion=is_suggestion)),
    )
    for is_suggestion in (False, True)
}


def _details(*, by_code: bool, with_images: bool, with_cast: bool) -> Prepared:
    column, type_ = ("imdb_code", "text") if by_code else ("external_id", "integer")
    found = details_json("$1", column, with_images=with_images, with_cast=with_cast)
    name = f"yts_details_{by_code:d}{with_images:d}{with_cast:d}"
    return Prepared(name, f"{type_}[]", _with_head(found))


_DETAILS: Final = {
    kind: _details(by_code=kind[0], with_images=kind[1], with_cast=kind[2])
    for kind in product((False, True), repeat=3)
}


class PageIds(NamedTuple):
    """A page of a list, as YTS ids."""

    revision: str
    movie_count: int
    ids: list[int]


class ChangedMovie(NamedTuple):
    """A movie whose revision is not the one that was asked for."""

    #: In the ids that were asked for.
    place: int
    #: Different after each change of the JSON.
    revision: str
    #: None if there is no such movie any more.
    json: str | None


class Details(NamedTuple):
    """A movie with its details."""

    #: As JSON.
    movie: str
    #: False for a movie that is known from a list alone.
    is_complete: bool


async def read_page_ids(reading: Reading, wanted: YtsList, *, limit: int, offset: int) -> PageIds:
    """Return the ids of a page of a list."""
    if wanted.is_filtered:
        ids = func.array(select_ids(wanted).limit(limit).offset(offset).scalar_subquery())
        query = select(literal_column(REVISION), count_movies(wanted), ids)
        (page,) = await reading.read_query(query)
    else:
        statement = _page_statement(wanted.sort_by, is_ascending=wanted.is_ascending)
        (page,) = await reading.read_rows(statement, limit, offset)
    return PageIds(*page)


async def read_ids(reading: Reading, wanted: YtsList) -> "tuple[str, array[int]]":
    """Return the revision, and the YTS ids of a whole list."""
    listed = select_ids(wanted).subquery()
    # As bytes, because a driver needs a moment for each number.
    sent = func.int4send(listed.c.external_id)
    packed = select(func.string_agg(sent, literal_column("''::bytea"))).scalar_subquery()
    ((revision, content),) = await reading.read_query(select(literal_column(REVISION), packed))
    ids = array("i", bytes(content or b""))
    if byteorder == "little":
        ids.byteswap()
    return revision, ids


async def read_movies(
    reading: Reading, ids: Sequence[int], revisions: Sequence[str], *, is_suggestion: bool = False
) -> tuple[str, list[ChangedMovie]]:
    """
    Return the revision of all, and the movies with these YTS ids whose revisions have changed.

    *revisions* has one without spaces for each id; one that no movie has asks for the movie.
    """
    statement = _MOVIES[is_suggestion]
    rows = await reading.read_rows(statement, _array(ids), " ".join(revisions))
    ((revision, *_), *changed) = rows
    return revision, [ChangedMovie(place - 1, *rest) for _, place, *rest in changed]


async def read_details(
    reading: Reading, movies: Sequence[int | str], *, with_images: bool, with_cast: bool
) -> tuple[str, dict[int | str, Details]]:
    """
    Return the revision, and the movies with these YTS ids or IMDb codes as in `movie_details.json`.

    Those that are not there, or gone, are left out.
    """
    statement = _DETAILS[isinstance(movies[0], str), with_images, with_cast]
    ((revision, *_), *found) = await reading.read_rows(statement, _array(movies))
    return revision, {
        movies[place - 1]: Details(movie, is_complete == "t")
        for _, place, movie, is_complete in found
    }


def _array(values: Sequence[int | str]) -> str:
    """Return an array as PostgreSQL writes it, for values without special characters."""
    return f"{{{','.join(map(str, values))}}}"


@cache
def _page_statement(sort_by: SortBy, *, is_ascending: bool) -> Prepared:
    wanted = YtsList(sort_by, is_ascending)
    page = select_ids(wanted).limit(literal_column("$1")).offset(literal_column("$2"))
    return Prepared(
        f"yts_page_{sort_by}_{is_ascending:d}",
        "integer, bigint",
        f"SELECT {REVISION}, ({_sql(count_movies(wanted))})::bigint, ARRAY({_sql(page)})",
    )


def _sql(query: Select[Any] | ColumnElement[Any]) -> str:
    dialect: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]  # not annotated there
    return str(query.compile(dialect=dialect, compile_kwargs={"literal_binds": True}))
