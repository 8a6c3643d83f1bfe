"""`WatchedCursor`: statements under way in this process, which another thread can cancel."""

from contextlib import suppress
from time import monotonic
from typing import Any

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 (it is a class)
from sqlalchemy import URL

_under_way: dict["WatchedCursor", float] = {}


class WatchedCursor(Cursor):
    """
    A cursor whose statements another thread can find and cancel.

    libpq waits for a response without a limit, and no signal handler of Python runs meanwhile.
    """

    #: URL of the database, to ask there what a statement waits for.
    url: URL | None = None

    def execute(self, *arguments: Any, **named: Any) -> None:
        """Run a statement, as psycopg2 does."""
        _under_way[self] = monotonic()
        try:
            super().execute(*arguments, **named)
        finally:
            _under_way.pop(self, None)

    def executemany(self, *arguments: Any, **named: Any) -> None:
        """Run a statement several times, as psycopg2 does."""
        _under_way[self] = monotonic()
        try:
            super().executemany(*arguments, **named)
        finally:
            _under_way.pop(self, None)

    def copy_expert(self, *arguments: Any, **named: Any) -> None:
        """Copy rows, as psycopg2 does."""
        _under_way[self] = monotonic()
        try:
            super().copy_expert(*arguments, **named)
        finally:
            _under_way.pop(self, None)


def watched_cursor(url: URL) -> type[WatchedCursor]:
    """Return the class of cursors for one database, for psycopg2's `cursor_factory`."""
    return type("WatchedCursor", (WatchedCursor,), {"url": url})


def statements_under_way() -> list[tuple[WatchedCursor, float]]:
    """Return the cursors that wait for PostgreSQL, each with its start time by `monotonic`."""
    return list(_under_way.items())


def cancel_statements(*, older_than_seconds: float = 0.0) -> None:
    """Cancel the statements of this process that have been running for longer than a limit."""
    latest = monotonic() - older_than_seconds
    for cursor, began in statements_under_way():
        if began <= latest:
            with suppress(psycopg2.Error):  # The connection may have been closed meanwhile.
                cursor.connection.cancel()
