"""`read_health`: the state of the mirror in one word, its last runs and failures, and coverage."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from sqlalchemy.orm import Session

from database.bookkeeping.failures import TitledFailure, read_failures
from database.bookkeeping.rows import SyncStateRow
from database.monitoring.history import Freshness, PastRun, read_runs, read_session_freshness
from database.stats import Stats, read_stats, read_sync_state

#: `failing`: the last run was killed, or ended with an error; the mirror may still be fresh.
HealthState = Literal["empty", "running", "failing", "stale", "fresh"]


@dataclass(frozen=True, slots=True)
class Health:
    """Whether the mirror is kept current, as of one moment."""

    freshness: Freshness
    #: An older mirror is stale.
    max_age: timedelta
    stats: Stats
    #: None before the first run.
    sync: SyncStateRow | None
    #: The last ones, newest first.
    runs: Sequence[PastRun]
    #: Those that are tried again first; `stats` has the number of all.
    failures: Sequence[TitledFailure]

    @property
    def state(self) -> HealthState:
        """Return the state of the mirror: a running fetch first, then problems."""
        if not self.runs and not self.stats.total_movies:
            return "empty"
        if self.runs and self.runs[0].state == "running":
            return "running"
        if self.runs and self.runs[0].is_failure:
            return "failing"
        return "fresh" if self.freshness.is_within(self.max_age) else "stale"


def read_health(
    session: Session, max_age: timedelta, *, max_runs: int, max_failures: int
) -> Health:
    """Return the health of the mirror, with up to *max_runs* runs and *max_failures* failures."""
    return Health(
        freshness=read_session_freshness(session),
        max_age=max_age,
        stats=read_stats(session),
        sync=read_sync_state(session),
        runs=read_runs(session, max_runs),
        failures=read_failures(session, max_failures),
    )
