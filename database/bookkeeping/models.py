"""`FetchRun`, `FetchFailure`, `SyncState` and the other tables about the mirroring itself."""

from datetime import datetime

from sqlalchemy import CheckConstraint, Float, Identity, Index, SmallInteger, func, text
from sqlalchemy.orm import Mapped, mapped_column

from database.models import Base

#: The outcomes of the movies that a run planned to handle; they add up to `planned`.
OUTCOMES = ("saved", "updated", "unchanged", "skipped", "missing", "failed")


class FetchRun(Base):
    """One run of the fetch command; its counters move with every saved step."""

    __tablename__ = "fetch_runs"
    __table_args__ = (
        CheckConstraint("planned = " + " + ".join(OUTCOMES), name="outcomes_add_up"),
        Index("ix_fetch_runs_started_at", "started_at"),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    command: Mapped[str] = mapped_column(comment="without anything secret")
    api_url: Mapped[str | None]
    phase: Mapped[str] = mapped_column(comment="starting, pages, details, ended or killed")
    started_at: Mapped[datetime] = mapped_column(server_default=func.now())
    heartbeat_at: Mapped[datetime] = mapped_column(server_default=func.now())
    finished_at: Mapped[datetime | None] = mapped_column(
        comment="null: running; of a killed run, its last heartbeat"
    )
    exit_code: Mapped[int | None] = mapped_column(SmallInteger)
    requests: Mapped[int] = mapped_column(server_default="0", comment="made, retries included")
    pages_expected: Mapped[int] = mapped_column(server_default="0", comment="estimate")
    pages_read: Mapped[int] = mapped_column(server_default="0")
    details_expected: Mapped[int] = mapped_column(server_default="0")
    details_read: Mapped[int] = mapped_column(server_default="0")
    planned: Mapped[int] = mapped_column(
        server_default="0", comment="movies handled, on a page or by details; sum of the outcomes"
    )
    saved: Mapped[int] = mapped_column(server_default="0", comment="new rows")
    updated: Mapped[int] = mapped_column(server_default="0", comment="rows changed or completed")
    unchanged: Mapped[int] = mapped_column(server_default="0", comment="compared and equal")
    skipped: Mapped[int] = mapped_column(
        server_default="0", comment="already stored, left unchanged"
    )
    missing: Mapped[int] = mapped_column(server_default="0", comment="YTS has no such movie")
    failed: Mapped[int] = mapped_column(server_default="0", comment="in fetch_failures")
    is_complete: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="read the list to its end, and what was due is stored or on record",
    )


class FetchFailure(Base):
    """A page or movie that could not be fetched or saved; success removes it."""

    __tablename__ = "fetch_failures"
    __table_args__ = (Index("ix_fetch_failures_next_attempt_at", "next_attempt_at"),)

    kind: Mapped[str] = mapped_column(primary_key=True, comment="page or movie")
    key: Mapped[str] = mapped_column(primary_key=True, comment="number of the page, or YTS id")
    stage: Mapped[str] = mapped_column(comment="fetch, parse or save")
    error_class: Mapped[str]
    message: Mapped[str]
    attempts: Mapped[int] = mapped_column(server_default="1")
    first_failed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_failed_at: Mapped[datetime] = mapped_column(server_default=func.now())
    next_attempt_at: Mapped[datetime]


class MissingMovie(Base):
    """An id that YTS says it does not have; requested again after growing pauses."""

    __tablename__ = "missing_movies"

    external_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    first_missing_at: Mapped[datetime] = mapped_column(server_default=func.now())
    last_asked_at: Mapped[datetime] = mapped_column(server_default=func.now())
    ask_again_at: Mapped[datetime]
    denials: Mapped[int] = mapped_column(
        SmallInteger,
        server_default="1",
        comment="number of separate requests that YTS denied; a single one is not believed",
    )
    origin: Mapped[str | None] = mapped_column(comment="base URL that denied it, or sandbox")


class SyncState(Base):
    """The progress of the mirror; a table with a single row."""

    __tablename__ = "sync_state"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, server_default="1"
    )
    source: Mapped[str | None] = mapped_column(comment="yts, or sandbox for practice data")
    watermark_movie_id: Mapped[int | None] = mapped_column(
        comment="highest YTS id at the end of the last complete sweep"
    )
    next_page: Mapped[int] = mapped_column(
        server_default="1",
        comment="page where the sweep continues; all pages before it are full and saved",
    )
    movie_count: Mapped[int | None] = mapped_column(
        comment="number of movies according to YTS, an estimate"
    )
    sweep_completed_at: Mapped[datetime | None]
    sweep_began_at: Mapped[datetime | None] = mapped_column(
        comment="of a sweep of the whole list that is not complete yet; null: none is"
    )
    recheck_page: Mapped[int | None] = mapped_column(
        comment="owed: rows moved while the list was read, so read it again from here"
    )
    reading: Mapped[int] = mapped_column(
        server_default="0", comment="number of the last reading of the list"
    )
    is_updating: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="owed: the sweep under way writes what changed, until its end",
    )
    is_gone_check_due: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="owed: ask for stored movies that the last sweep of the whole list did not see",
    )
    swept_url: Mapped[str | None] = mapped_column(
        comment="base URL of the last sweep of the whole list, or sandbox"
    )
    sweep_origin: Mapped[str | None] = mapped_column(
        comment="base URL of the sweep of the whole list that began last, or sandbox"
    )
    confirmed_origin: Mapped[str | None] = mapped_column(
        comment="base URL, or sandbox, that the last two sweeps of the whole list have read"
    )
    whole_sweep_at: Mapped[datetime | None] = mapped_column(
        comment="end of the last sweep of the whole list"
    )
    surplus_rows: Mapped[int | None] = mapped_column(
        comment="rows of the list at the end of the last sweep, minus movies seen on its pages"
    )


class ListedMovie(Base):
    """
    A movie that YTS has shown, on a page or by details, since the sweep of the whole list began.

    When the next sweep of the whole list begins, only movies that no page named are kept.
    """

    __tablename__ = "listed_movies"

    external_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    page: Mapped[int | None] = mapped_column(
        comment="page; 0: not recorded; null: only its details showed it"
    )
    reading: Mapped[int] = mapped_column(
        server_default="0",
        comment="which reading of the list saw it last; 0: one before the sweep of the whole list",
    )
    moved_from: Mapped[int | None] = mapped_column(
        comment="another page where the same reading saw it before"
    )
    is_searched: Mapped[bool] = mapped_column(
        server_default=text("false"),
        comment="not on a page, and a search of the list was made for its texts",
    )


class FetchWorker(Base):
    """
    What a worker of the running fetch does; rows of ended workers stay until the next run.

    Unlogged, because it has no value after a crash, and a batch need not wait for the disk.
    """

    __tablename__ = "fetch_workers"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)

    name: Mapped[str] = mapped_column(
        primary_key=True, comment="application_name of its connections"
    )
    doing: Mapped[str] = mapped_column(comment="description of its current work")
    since: Mapped[datetime] = mapped_column(server_default=func.now())


class RequestBudget(Base):
    """
    The pace that all workers, runs and machines on this database share; a single row.

    Unlogged, because it has no value after a crash: a missing row is created again.
    """

    __tablename__ = "request_budget"
    __table_args__ = (
        CheckConstraint("id = 1", name="one_row"),
        {"prefixes": ["UNLOGGED"]},
    )

    id: Mapped[int] = mapped_column(
        SmallInteger, primary_key=True, autoincrement=False, server_default="1"
    )
    last_slot_at: Mapped[datetime] = mapped_column(server_default=text("'-infinity'"))
    pace: Mapped[float] = mapped_column(Float(53), comment="current requests per second")
    slowed_at: Mapped[datetime | None] = mapped_column(
        comment="when YTS last asked for a lower rate"
    )
    requests_left: Mapped[int | None] = mapped_column(
        comment="requests that the running fetch may still make; null: no limit"
    )
