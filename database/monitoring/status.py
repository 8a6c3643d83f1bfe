"""`read_status` and `read_ledger`: what the monitor shows, read in one read-only transaction."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import URL, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database.bookkeeping.failures import TitledFailure, read_failures
from database.bookkeeping.fetch_lock import is_fetch_running
from database.bookkeeping.request_budget import read_pace
from database.bookkeeping.rows import FailureRow, RunRow, SyncStateRow, WorkerRow
from database.bookkeeping.workers import read_workers
from database.config import without_secrets
from database.connection.explain import explain_unreachable, first_line
from database.errors import DatabaseNotReady
from database.schema import read_revision
from database.sessions import Database
from database.stats import (
    GenreTotal,
    Stats,
    StoredMovie,
    read_last_errors,
    read_last_run,
    read_last_stored,
    read_stats,
    read_sync_state,
    read_top_genres,
)


@dataclass(frozen=True, slots=True)
class Status:
    """The contents of the mirror, and the state of its last run."""

    #: By the clock of the database.
    time: datetime
    stats: Stats
    #: None before the first run.
    sync: SyncStateRow | None
    #: The run that started last; None before the first.
    run: RunRow | None
    #: Whether a fetch holds the lock. A run without an end and without the lock was killed.
    is_fetch_running: bool
    #: Requests a second that all workers together may make now; None if no run has set it.
    pace: float | None
    workers: list[WorkerRow]
    #: The newest first.
    last_errors: list[FailureRow]
    last_stored_movies: list[StoredMovie]
    top_genres: list[GenreTotal]

    @property
    def is_empty(self) -> bool:
        """Return whether no movie was ever fetched."""
        return self.run is None and not self.stats.total_movies

    @property
    def source(self) -> str | None:
        """Return where the movies come from: `yts` or `sandbox`; None before the first run."""
        return None if self.sync is None else self.sync.source


@dataclass(frozen=True, slots=True)
class FailureList:
    """The recorded failures: pages and movies that have not succeeded since."""

    #: By the clock of the database.
    time: datetime
    #: `yts` or `sandbox`; None before the first run.
    source: str | None
    #: Ordered by the time of the next attempt.
    failures: list[TitledFailure]


def read_status(db: Database) -> Status:
    """
    Return the status of the mirror; a database without tables is an empty mirror.

    Raises:
        DatabaseNotReady: unreachable, cut off meanwhile, or with tables of another kind.
    """
    with read_only_session(db) as session:
        return _read(session)


def read_ledger(db: Database, limit: int | None = None) -> FailureList:
    """
    Return all recorded failures, or up to *limit*; a database without tables has none.

    Raises:
        DatabaseNotReady: as `read_status`.
    """
    with read_only_session(db) as session:
        has_tables = read_revision(session.connection()) is not None
        sync = read_sync_state(session) if has_tables else None
        return FailureList(
            time=session.scalars(select(func.clock_timestamp())).one(),
            source=None if sync is None else sync.source,
            failures=read_failures(session, limit) if has_tables else [],
        )


@contextmanager
def read_only_session(db: Database) -> Iterator[Session]:
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
        raise DatabaseNotReady(
            f"The tables cannot be read: {first_line(error)}. See what is wrong with: "
            "python test_db_connection.py"
        ) from error


def describe_database(url: URL) -> str:
    """Return user, host and database name, without secrets."""
    return without_secrets(url).set(query={}).render_as_string().partition("://")[2]


def _read(session: Session) -> Status:
    # The lock is read before and after the row: a run takes it before it begins and releases it
    # after it has ended, so a run that begins or ends meanwhile does not count as killed.
    was_running = is_fetch_running(session)
    has_tables = read_revision(session.connection()) is not None
    run = read_last_run(session) if has_tables else None
    return Status(
        time=session.scalars(select(func.clock_timestamp())).one(),
        stats=read_stats(session) if has_tables else Stats(),
        sync=read_sync_state(session) if has_tables else None,
        run=run,
        is_fetch_running=was_running or is_fetch_running(session),
        pace=read_pace(session) if has_tables else None,
        workers=read_workers(session) if has_tables else [],
        last_errors=read_last_errors(session) if has_tables else [],
        last_stored_movies=read_last_stored(session) if has_tables else [],
        top_genres=read_top_genres(session) if has_tables else [],
    )
