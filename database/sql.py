"""`json_rows` and other SQL expressions: rows from JSON, comparisons of columns, intervals."""

import json
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
    select,
)
from sqlalchemy.dialects import postgresql
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

    Connections of the server and of workers plan it once; for all others the mark means nothing.
    Its parameters need types, unless columns give them: `CAST(:ids AS bigint[])`.
    """
    return statement.execution_options(**{PLAN_ONCE: True})


def json_rows(types: Mapping[str, TypeEngine[Any]]) -> TableValuedAlias:
    """
    Return a source of rows, `json_to_recordset(...)`, with the columns of *types*.

    One statement then writes all rows in one round trip, without building SQL strings. The rows
    are one parameter, made by `json_params`: PostgreSQL parses one constant instead of thousands,
    and a statement is built once and used again, which saves most of the cost of SQLAlchemy.
    """
    columns = [column(name, type_) for name, type_ in types.items()]
    rows = func.json_to_recordset(cast(bindparam("incoming", type_=Text), postgresql.JSON))
    return rows.table_valued(*columns).render_derived(name="incoming", with_types=True)


def insert_json(model: type[DeclarativeBase], names: Sequence[str]) -> postgresql.Insert:
    """Return the statement that inserts the rows of `json_rows` with these columns of *model*."""
    rows = json_rows(column_types(model, names))
    return postgresql.insert(table_of(model)).from_select(list(names), select(*rows.c))


#: Characters stay as they are: escaping would cost more, and databases without Unicode refuse it.
_ENCODER = json.JSONEncoder(ensure_ascii=False, check_circular=False, default=str)


def json_params(rows: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the parameter of a statement on `json_rows`; other values of *rows* are ignored."""
    return {"incoming": _ENCODER.encode(rows)}


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
