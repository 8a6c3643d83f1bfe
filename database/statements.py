"""`WatchedCursor`: statements under way in this process, which another thread can cancel."""

from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection  # noqa: N812 (it is a class)
from psycopg2.extensions import cursor as Cursor  # noqa: N812

#: Connections that wait for PostgreSQL, with the time when their statement began.
_under_way: dict[Connection, float] = {}


class WatchedCursor(Cursor):
    """
    A cursor whose statements another thread can find and cancel.

    libpq waits for an answer as long as it takes, and no signal handler of Python runs meanwhile.
    """

    def execute(self, *arguments: Any, **named: Any) -> None:
        """Run a statement, as psycopg2 does."""
        _under_way[self.connection] = monotonic()
        try:
            super().execute(*arguments, **named)
        finally:
            _under_way.pop(self.connection, None)

    def executemany(self, *arguments: Any, **named: Any) -> None:
        """Run a statement several times, as psycopg2 does."""
        _under_way[self.connection] = monotonic()
        try:
            super().executemany(*arguments, **named)
        finally:
            _under_way.pop(self.connection, None)

    def copy_expert(self, *arguments: Any, **named: Any) -> None:
        """Copy rows, as psycopg2 does."""
        _under_way[self.connection] = monotonic()
        try:
            super().copy_expert(*arguments, **named)
        finally:
            _under_way.pop(self.connection, None)


def cancel_statements(*, older_than_seconds: float = 0.0) -> None:
    """Cancel the statements of this process that have been running for longer than that."""
    latest = monotonic() - older_than_seconds
    for connection, began in list(_under_way.items()):
        if began <= latest:
            with suppress(psycopg2.Error):  # It may be closed by now.
                connection.cancel()


def read_waiting_pids(*, older_than_seconds: float) -> list[int]:
    """Return the server processes that have been at a statement of ours for longer than that."""
    latest = monotonic() - older_than_seconds
    waiting = [it for it, began in list(_under_way.items()) if began <= latest and not it.closed]
    return [connection.get_backend_pid() for connection in waiting]
