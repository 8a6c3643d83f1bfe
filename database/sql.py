"""`unnest_rows` and other SQL expressions: rows from arrays, comparisons of columns, intervals."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TypeVar

from sqlalchemy import (
    ColumnElement,
    Executable,
    Interval,
    Table,
    Text,
    and_,
    bindparam,
    cast,
    column,
    func,
    or_,
)
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import DeclarativeBase
from sqlalchemy.sql.elements import KeyedColumnElement
from sqlalchemy.sql.selectable import TableValuedAlias
from sqlalchemy.types import TypeEngine

#: The execution option of statements that are planned once.
PLAN_ONCE: Final = "is_planned_once"
Statement = TypeVar("Statement", bound=Executable)


def plan_once(statement: Statement) -> Statement:
    """
    Mark a statement whose plan does not depend on its values.

    Connections of the server plan it once; for all others the mark means nothing. Its parameters
    need types: `CAST(:ids AS bigint[])`.
    """
    return statement.execution_options(**{PLAN_ONCE: True})


def unnest_rows(types: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    """
    Return a source of rows, `unnest(array, array, ...)`, one array for each column of *types*.

    One statement then writes all rows in one round trip, without building SQL strings. The arrays
    are parameters, made by `unnest_params`, so a statement is built once and used again, which
    saves most of the cost of SQLAlchemy.
    """
    arrays = [
        cast(bindparam(_parameter(name), type_=ARRAY(type_)), ARRAY(type_))
        for name, type_ in types.items()
    ]
    columns = [column(name, type_) for name, type_ in types.items()]
    return func.unnest(*arrays).table_valued(*columns).render_derived(name="incoming")


def unnest_params(rows: Sequence[Mapping[str, Any]], names: Iterable[str]) -> dict[str, list[Any]]:
    """Return the parameters of a statement on `unnest_rows`: these columns of *rows*."""
    return {_parameter(name): [row[name] for row in rows] for name in names}


def _parameter(column_name: str) -> str:
    # SQLAlchemy uses the names without this prefix for its own parameters.
    return f"incoming_{column_name}"


def table_of(model: type[DeclarativeBase]) -> Table:
    """Return the table of *model*: statements on it skip the object tracking of the ORM."""
    table = model.__table__
    assert isinstance(table, Table)  # noqa: S101 -- for mypy: each of our models has one
    return table


def column_types(model: type[DeclarativeBase], names: Iterable[str]) -> dict[str, TypeEngine[Any]]:
    """Return the SQL types of these columns of *model*."""
    return {name: table_of(model).c[name].type for name in names}


#: The columns of all tables that contain URLs.
URL_COLUMNS = frozenset(
    {
        "url",
        "background_image",
        "background_image_original",
        "small_cover_image",
        "medium_cover_image",
        "large_cover_image",
        "url_small_image",
    }
)


def path_of(url: ColumnElement[Any]) -> ColumnElement[str]:
    """
    Return the path of *url*: the site's domain changes every year, its paths do not.

    Rows of earlier versions can have a query with a token.
    """
    return func.regexp_replace(url, "^(https?:)?//[^/?#]*|[?#].*$", "", "g", type_=Text)


def differs(old: KeyedColumnElement[Any], new: ColumnElement[Any]) -> ColumnElement[bool]:
    """Return the condition that *new* is known and differs from *old*; of URLs, the path counts."""
    if old.key in URL_COLUMNS:
        return and_(new.is_not(None), path_of(old).is_distinct_from(path_of(new)))
    return and_(new.is_not(None), old.is_distinct_from(new))


def any_differs(
    old: Iterable[tuple[KeyedColumnElement[Any], ColumnElement[Any]]],
) -> ColumnElement[bool]:
    """Return the SQL condition that any pair of an old and a new value differs."""
    return or_(*(differs(before, after) for before, after in old))


def interval_of(seconds: ColumnElement[float] | float) -> ColumnElement[object]:
    """Return the SQL interval of this many seconds."""
    return func.make_interval(0, 0, 0, 0, 0, 0, seconds, type_=Interval)
