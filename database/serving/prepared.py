"""`Prepared`: a statement that PostgreSQL plans once for each connection; `Reading` runs it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import URL, ClauseElement

from database.connection.plan_age import DISCARD, SIZES
from database.serving.loop_connection import LoopConnection, Values

#: See `database.serving.read_only.read_revision`.
REVISION: Final = "pg_current_snapshot()::text"
_DIALECT: Final = URL.create("postgresql+psycopg2").get_dialect()()


@dataclass(frozen=True, slots=True)
class Prepared:
    """A statement with parameters $1, $2, ..., for which planning costs as much as running it."""

    name: str
    #: Such as `integer, text`.
    types: str
    sql: str


class Reading:
    """One read on one connection; all errors are those of SQLAlchemy."""

    def __init__(self, connection: LoopConnection) -> None:
        """Read on *connection*, which the caller closes."""
        self._connection = connection
        self._prefix = ""

    async def read_rows(self, statement: Prepared, *values: object) -> list[tuple[Any, ...]]:
        """Return the rows of *statement* with these values."""
        await self._discard_old_plans()
        if statement.name not in self._connection.prepared:
            prepare = f"PREPARE {statement.name} ({statement.types}) AS {statement.sql}"
            await self._connection.execute(prepare)
            self._connection.prepared.add(statement.name)
        places = ", ".join(["%s"] * len(values))
        return await self._execute(f"EXECUTE {statement.name} ({places})", values)

    async def _discard_old_plans(self) -> None:
        age = self._connection.plan_age
        # Inside of a block, the first statement has to begin it.
        if age.must_check() and not self._prefix:
            ((sizes,),) = await self._connection.execute(SIZES)
            if age.is_outgrown(sizes):
                await self._connection.execute(DISCARD)

    async def read_query(self, query: ClauseElement) -> list[tuple[Any, ...]]:
        """Return the rows of a query of SQLAlchemy."""
        compiled = query.compile(dialect=_DIALECT)
        return await self._execute(str(compiled), compiled.params)

    async def read_revision(self) -> str:
        """Return the revision that the next statements see, or an earlier one."""
        ((revision,),) = await self._execute(f"SELECT {REVISION}")
        return str(revision)

    async def _execute(self, statement: str, values: Values = None) -> list[tuple[Any, ...]]:
        prefix, self._prefix = self._prefix, ""
        return await self._connection.execute(prefix + statement, values)

    @asynccontextmanager
    async def one_snapshot(self) -> AsyncIterator[None]:
        """Let all statements of the block see the same rows."""
        # Sent together with the first statement. If one fails, the connection is closed.
        self._prefix = "BEGIN ISOLATION LEVEL REPEATABLE READ; "
        yield
        await self._connection.execute("COMMIT")
