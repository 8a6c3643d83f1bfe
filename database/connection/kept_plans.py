"""`keep_plans`, `run_kept`: connections plan each statement that is marked for it once."""

import re
from collections import OrderedDict
from collections.abc import Mapping
from contextlib import closing
from functools import cache
from itertools import count
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 (it is a class)
from sqlalchemy import ClauseElement, Connection, Engine, event
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine.interfaces import Dialect, ExceptionContext, ExecutionContext
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from database.connection.plan_age import DISCARD, SIZES, PlanAge, is_invalid
from database.sql import PLAN_ONCE

#: Searches have a statement for each number of words. Those that were used last are kept.
_MOST_KEPT = 100
_DIALECT: Dialect = postgresql.dialect()  # type: ignore[no-untyped-call]
#: The execution option of engines whose connections keep plans.
_KEEPS_PLANS = "keeps_plans"
_PARAMETER = re.compile(r"%\((\w+)\)s|%%")


class _Kept(NamedTuple):
    name: str
    #: Runs the statement with its values.
    execute: str


class _Plans:
    """The statements that one connection has prepared."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._numbers = count()
        self._age = PlanAge()

    def prepared(self, cursor: Cursor, statement: str) -> str:
        """Return what runs *statement* with the same values; prepare it if that is new."""
        if self._age.must_check():
            cursor.execute(SIZES)
            ((sizes,),) = cursor.fetchall()
            if self._age.is_outgrown(sizes):
                cursor.execute(DISCARD)
        kept = self._kept.get(statement)
        if kept is None:
            kept = self._kept[statement] = self._prepare(cursor, statement)
            if len(self._kept) > _MOST_KEPT:
                _, oldest = self._kept.popitem(last=False)
                cursor.execute(f"DEALLOCATE {oldest.name}")
        self._kept.move_to_end(statement)
        return kept.execute

    def _prepare(self, cursor: Cursor, statement: str) -> _Kept:
        places: dict[str, str] = {}

        def number(match: re.Match[str]) -> str:
            if match[1] is None:
                return "%"
            return places.setdefault(match[1], f"${len(places) + 1}")

        name = f"kept_{next(self._numbers)}"
        cursor.execute(f"PREPARE {name} AS {_PARAMETER.sub(number, statement)}")
        values = ", ".join(f"%({parameter})s" for parameter in places)
        execute = f"EXECUTE {name}({values})" if values else f"EXECUTE {name}"
        return _Kept(name, execute)


def keep_plans(engine: Engine) -> None:
    """Let connections of *engine* prepare the statements marked by `database.sql.plan_once`."""
    engine.update_execution_options(**{_KEEPS_PLANS: True})

    @event.listens_for(engine, "before_cursor_execute", retval=True)
    def prepare(
        connection: Connection,
        cursor: Cursor,
        statement: str,
        values: Any,
        context: ExecutionContext,
        _is_many: bool,  # noqa: FBT001 -- as SQLAlchemy calls it
    ) -> tuple[str, Any]:
        if not context.execution_options.get(PLAN_ONCE):
            return statement, values
        return _plans_of(connection).prepared(cursor, statement), values

    @event.listens_for(engine, "handle_error")
    def leave(context: ExceptionContext) -> None:
        error = context.original_exception
        if isinstance(error, psycopg2.Error) and is_invalid(error):
            context.is_disconnect = True  # All connections of the pool are made again.


def _plans_of(connection: Connection) -> _Plans:
    plans: _Plans | None = connection.info.get("kept_plans")
    return plans or connection.info.setdefault("kept_plans", _Plans())


def run_kept(
    session: Session, statement: ClauseElement, values: Mapping[str, Any]
) -> list[tuple[Any, ...]]:
    """
    Run a statement marked by `plan_once`, and return its rows as psycopg2 gives them.

    For the statements that each step repeats: the layers of SQLAlchemy cost more than they do.
    *values* and results are not converted, except lists of numbers and texts, and the events of
    SQLAlchemy do not happen.

    Raises:
        sqlalchemy.exc.DBAPIError: as for other statements.
    """
    connection = session.connection()
    sql, constants = _compile(statement)
    try:
        cursor: Any
        with closing(connection.connection.cursor()) as cursor:
            if connection.get_execution_options().get(_KEEPS_PLANS):
                sql = _plans_of(connection).prepared(cursor, sql)
            cursor.execute(sql, {**constants, **{key: _literal(values[key]) for key in values}})
            rows: list[tuple[Any, ...]] = cursor.fetchall() if cursor.description else []
            return rows
    except psycopg2.Error as error:
        is_lost = is_invalid(error) or bool(connection.connection.closed)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            sql, None, error, psycopg2.Error, connection_invalidated=is_lost
        ) from error


def _literal(value: Any) -> Any:
    """Return a list as one text: as psycopg2 writes it, each item would be parsed as a value."""
    if not isinstance(value, list):
        return value
    items = [
        item if isinstance(item, int) else item.replace("\\", "\\\\").replace('"', '\\"')
        for item in value
    ]
    return "{" + ",".join([f'"{item}"' for item in items]) + "}"


@cache
def _compile(statement: ClauseElement) -> tuple[str, Mapping[str, Any]]:
    """Return the SQL of a statement that lasts as long as its module, and its own parameters."""
    compiled = statement.compile(dialect=_DIALECT)
    return str(compiled), compiled.params
