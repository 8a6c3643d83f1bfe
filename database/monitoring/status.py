"""All that the monitor shows, read in one go; reading changes nothing."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import URL, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database.bookkeeping.failures import read_failures
from database.bookkeeping.fetch_lock import is_fetch_running
from database.bookkeeping.request_budget import read_pace
from database.bookkeeping.workers import read_workers
from database.config import without_secrets
from database.connection.explain import explain_unreachable
from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.schema import read_revision
from database.stats import (
    NO_STATS,
    read_last_errors,
    read_last_run,
    read_last_stored,
    read_stats,
    read_sync_state,
    read_top_genres,
)

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Status:
    """What the mirror holds and how its last run stands; JSON-ready, but for the time."""

    #: By the clock of the database.
    time: datetime
    stats: dict[str, Any]
    #: The row of `sync_state`; empty before the first run.
    sync: dict[str, Any]
    #: The row of the run that started last; None before the first.
    run: dict[str, Any] | None
    #: Whether a fetch holds the lock. A run without an end and without the lock was killed.
    is_fetch_running: bool
    #: Requests a second that all together may make just now; None where no run has set it.
    pace: float | None
    #: What each worker of the running fetch is at.
    workers: list[dict[str, Any]]
    #: Rows of `fetch_failures`, what failed last first.
    last_errors: list[dict[str, Any]]
    last_stored_movies: list[dict[str, Any]]
    top_genres: list[dict[str, Any]]

    @property
    def is_empty(self) -> bool:
        """Tell whether nothing was ever fetched."""
        return self.run is None and not self.stats["total_movies"]


@dataclass(frozen=True, slots=True)
class FailureList:
    """What failed and was not had since; JSON-ready, but for the time."""

    #: By the clock of the database.
    time: datetime
    #: `yts` or `sandbox`; None before the first run.
    source: str | None
    #: Rows of `fetch_failures`, those that are tried again soonest first.
    failures: list[Row]


def read_status(db: DatabaseManager) -> Status:
    """
    Return the status of the mirror; a database without tables is an empty mirror.

    Raises:
        DatabaseNotReady: unreachable, cut off meanwhile, or with tables of another kind.
    """
    with read_only_session(db) as session:
        return _read(session)


def read_ledger(db: DatabaseManager, limit: int | None = None) -> FailureList:
    """
    Return all failures on record, or up to *limit*; a database without tables has none.

    Raises:
        DatabaseNotReady: as `read_status`.
    """
    with read_only_session(db) as session:
        has_tables = read_revision(session.connection()) is not None
        return FailureList(
            time=session.scalars(select(func.clock_timestamp())).one(),
            source=read_sync_state(session).get("source") if has_tables else None,
            failures=read_failures(session, limit) if has_tables else [],
        )


@contextmanager
def read_only_session(db: DatabaseManager) -> Iterator[Session]:
    """
    Open a session that changes nothing.

    Raises:
        DatabaseNotReady: unreachable, cut off meanwhile, or with tables of another kind.
    """
    try:
        with db.get_session() as session:
            session.execute(text("SET TRANSACTION READ ONLY"))
            yield session
    except OperationalError as error:
        raise DatabaseNotReady(explain_unreachable(error, db.url)) from error
    except DBAPIError as error:
        reason = str(error.orig).strip().splitlines()[0]
        raise DatabaseNotReady(
            f"The tables cannot be read: {reason}. See what is wrong with: "
            "python test_db_connection.py"
        ) from error


def describe_database(url: URL) -> str:
    """Return user, host and database name, without anything secret."""
    return without_secrets(url).set(query={}).render_as_string().partition("://")[2]


def _read(session: Session) -> Status:
    # The lock is looked at before and after the row: a run locks before it begins and
    # unlocks after it has ended, so it is not taken for killed on either side.
    was_running = is_fetch_running(session)
    has_tables = read_revision(session.connection()) is not None
    run = read_last_run(session) if has_tables else None
    return Status(
        time=session.scalars(select(func.clock_timestamp())).one(),
        stats=read_stats(session) if has_tables else NO_STATS,
        sync=read_sync_state(session) if has_tables else {},
        run=run,
        is_fetch_running=was_running or is_fetch_running(session),
        pace=read_pace(session) if has_tables else None,
        workers=read_workers(session) if has_tables else [],
        last_errors=read_last_errors(session) if has_tables else [],
        last_stored_movies=read_last_stored(session) if has_tables else [],
        top_genres=read_top_genres(session) if has_tables else [],
    )
