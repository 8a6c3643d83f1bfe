"""`RunRow`, `FailureRow`, `WorkerRow`, `SyncStateRow`: rows of the bookkeeping as frozen values."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Column
from sqlalchemy.orm import DeclarativeBase

from database.bookkeeping.models import OUTCOMES, FetchFailure, FetchRun, SyncState
from database.sql import table_of

FailureKind = Literal["page", "movie"]
FailureStage = Literal["fetch", "parse", "save"]
RunPhase = Literal["starting", "pages", "details", "ended", "killed"]
#: `killed`: the run did not close its row, and no process is left that could.
RunState = Literal["running", "ended", "killed"]
#: Exit codes of a successful run: the next run continues with what is left.
SUCCESSFUL_ENDS = frozenset({0, 3, 7})


@dataclass(frozen=True, slots=True)
class RunRow:
    """A row of `fetch_runs`; the columns are explained in `FetchRun`."""

    id: int
    command: str
    api_url: str | None
    phase: RunPhase
    started_at: datetime
    heartbeat_at: datetime
    finished_at: datetime | None
    exit_code: int | None
    requests: int
    pages_expected: int
    pages_read: int
    details_expected: int
    details_read: int
    planned: int
    saved: int
    updated: int
    unchanged: int
    skipped: int
    missing: int
    failed: int
    is_complete: bool

    @property
    def counts(self) -> Mapping[str, int]:
        """Return how many movies had each outcome."""
        return {outcome: getattr(self, outcome) for outcome in OUTCOMES}

    def state(self, *, is_alive: bool) -> RunState:
        """Return the state of the run; *is_alive*: a process is left that can close its row."""
        if self.finished_at is not None:
            return "killed" if self.phase == "killed" else "ended"
        return "running" if is_alive else "killed"

    def seconds(self, state: RunState, now: datetime) -> float:
        """Return the seconds until *now* if the run is running, else until its last heartbeat."""
        end = now if state == "running" else self.finished_at or self.heartbeat_at
        return max(0.0, (end - self.started_at).total_seconds())


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A row of `fetch_failures`; the columns are explained in `FetchFailure`."""

    kind: FailureKind
    key: str
    stage: FailureStage
    error_class: str
    message: str
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    next_attempt_at: datetime

    def is_due(self, now: datetime) -> bool:
        """Return whether the failure is due at the time *now*."""
        return self.next_attempt_at <= now


@dataclass(frozen=True, slots=True)
class WorkerRow:
    """A connected worker of the running fetch, and its current activity."""

    name: str
    doing: str
    #: Seconds since this activity began.
    seconds: float


@dataclass(frozen=True, slots=True)
class SyncStateRow:
    """The row of `sync_state`; the defaults are the state before the first run."""

    id: int = 1
    source: str | None = None
    watermark_movie_id: int | None = None
    next_page: int = 1
    movie_count: int | None = None
    sweep_completed_at: datetime | None = None
    sweep_began_at: datetime | None = None
    recheck_page: int | None = None
    reading: int = 0
    is_updating: bool = False
    is_gone_check_due: bool = False
    swept_url: str | None = None
    sweep_origin: str | None = None
    confirmed_origin: str | None = None
    whole_sweep_at: datetime | None = None
    surplus_rows: int | None = None

    @property
    def is_practice(self) -> bool:
        """Whether the movies are those of the sandbox."""
        return self.source == "sandbox"


def _columns_of(model: type[DeclarativeBase], kind: type[Any]) -> list[Column[Any]]:
    return [table_of(model).c[field.name] for field in fields(kind)]


#: The columns of each kind of row, in the order of its fields: statements that read columns alone
#: need no objects of the ORM, and no time to prepare them.
RUN_COLUMNS = _columns_of(FetchRun, RunRow)
FAILURE_COLUMNS = _columns_of(FetchFailure, FailureRow)
SYNC_STATE_COLUMNS = _columns_of(SyncState, SyncStateRow)
