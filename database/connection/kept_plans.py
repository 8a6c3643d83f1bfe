"""`keep_plans`: connections of an engine plan each statement that is marked for it once."""

import re
from collections import OrderedDict
from itertools import count
from typing import Any, NamedTuple

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 (it is a class)
from sqlalchemy import Connection, Engine, event
from sqlalchemy.engine.interfaces import ExceptionContext, ExecutionContext

from database.connection.plan_age import DISCARD, SIZES, PlanAge, is_invalid
from database.sql import PLAN_ONCE

#: Searches have a statement for each number of words. Those that were used last are kept.
_MOST_KEPT = 100
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
        plans: _Plans = connection.info.get("kept_plans") or connection.info.setdefault(
            "kept_plans", _Plans()
        )
        return plans.prepared(cursor, statement), values

    @event.listens_for(engine, "handle_error")
    def leave(context: ExceptionContext) -> None:
        error = context.original_exception
        if isinstance(error, psycopg2.Error) and is_invalid(error):
            context.is_disconnect = True  # All connections of the pool are made again.
