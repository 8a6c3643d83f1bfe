"""`read_overview`: totals, runs and figures for the HTML page; too slow for polling."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select

from database.bookkeeping.rows import SyncStateRow
from database.monitoring.figures import Figures, read_figures
from database.monitoring.history import PastRun, read_runs
from database.monitoring.status import read_only_session
from database.schema import require_schema
from database.sessions import Database
from database.stats import Stats, read_stats, read_sync_state

#: Maximum number of runs; `--history` has all of them.
RUNS = 30


@dataclass(frozen=True, slots=True)
class Overview:
    """The data of the HTML page, as of one moment."""

    #: By the clock of the database.
    time: datetime
    stats: Stats
    #: None before the first run.
    sync: SyncStateRow | None
    #: The last ones, newest first.
    runs: list[PastRun]
    figures: Figures


def read_overview(db: Database) -> Overview:
    """
    Return the overview of the mirror.

    Raises:
        DatabaseNotReady: as `read_only_session`, or there are no tables yet.
    """
    with read_only_session(db) as session:
        require_schema(session)
        return Overview(
            time=session.scalars(select(func.clock_timestamp())).one(),
            stats=read_stats(session),
            sync=read_sync_state(session),
            runs=read_runs(session, RUNS),
            figures=read_figures(session),
        )
