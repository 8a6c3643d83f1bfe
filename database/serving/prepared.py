"""`Prepared`: a statement that PostgreSQL plans once for each connection; `Reading` runs it."""

from dataclasses import dataclass
from typing import Any, Final

import psycopg2
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError

#: See `database.serving.read_only.read_revision`.
REVISION: Final = "pg_current_snapshot()::text"


@dataclass(frozen=True, slots=True)
class Prepared:
    """
    A statement with parameters $1, $2, ..., for which planning costs as much as running it.

    The first column of its rows is `REVISION`: what the other columns belong to.
    """

    name: str
    #: Such as `integer, text`.
    types: str
    sql: str


class Reading:
    """One read, with prepared statements on one connection."""

    def __init__(self, connection: Connection) -> None:
        """Read on *connection*, which the caller closes."""
        #: For statements that are not prepared.
        self.connection = connection
        # Names of the statements that this connection of the driver has.
        self._known: set[str] = connection.info.setdefault("prepared", set())

    def read_rows(self, statement: Prepared, *values: object) -> list[tuple[Any, ...]]:
        """
        Return the rows of *statement* with these values.

        Raises:
            DBAPIError: as SQLAlchemy raises it.
        """
        if statement.name not in self._known:
            self._execute(f"PREPARE {statement.name} ({statement.types}) AS {statement.sql}")
            self._known.add(statement.name)
        places = ", ".join(["%s"] * len(values))
        return self._execute(f"EXECUTE {statement.name} ({places})", values)

    def read_revision(self) -> str:
        """Return the revision that the next statements see, or an earlier one."""
        ((revision,),) = self._execute(f"SELECT {REVISION}", ())
        return str(revision)

    def _execute(
        self, statement: str, values: tuple[object, ...] | None = None
    ) -> list[tuple[Any, ...]]:
        """Return the rows of a statement; without *values* it has none, and % means itself."""
        # SQLAlchemy's own way to run a statement takes a tenth of the time of a whole request.
        cursor: Any = self.connection.connection.cursor()
        try:
            cursor.execute(statement, values)
            rows: list[tuple[Any, ...]] = [] if values is None else cursor.fetchall()
        except psycopg2.Error as error:
            raise self._explained(statement, error) from error
        return rows

    def _explained(self, statement: str, error: psycopg2.Error) -> BaseException:
        """Return an error of the driver as SQLAlchemy's, and give up a broken connection."""
        connection: Any = self.connection.connection.dbapi_connection
        is_cut = bool(connection.closed)
        explained = DBAPIError.instance(
            statement, None, error, psycopg2.Error, connection_invalidated=is_cut
        )
        if is_cut:
            self.connection.invalidate(error)
        return explained
