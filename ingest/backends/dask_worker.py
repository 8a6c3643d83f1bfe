"""
`RunContext`, `run_batch`: run batches in a worker of a dask cluster, on shared threads.

Nothing here talks to the cluster. Each thread keeps a `Worker` for each run that it works for.
"""

import os
import socket
import sys
import threading
from dataclasses import dataclass, field
from time import monotonic

import dask

from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.schema import HEAD_REVISION
from ingest.backends.base import ClusterRefused
from ingest.plan import Batch
from ingest.report import BatchReport
from ingest.settings import RunSettings
from ingest.stop import StopRequest
from ingest.worker.worker import Worker
from yts import __version__

#: dask/distributed#8616: it reads the frames of all threads, which then hang for ever.
_MAY_FREEZE = (
    "its profiler is on, with which Python before 3.11.9 freezes now and then; start it with "
    "DASK_CONFIG=deploy/dask.yaml"
)
#: How long a worker keeps the connections of a run that ended without a message, as in a power cut.
IDLE_SECONDS = 600.0


def describe_program() -> str:
    """Return the versions that all machines of one run must have in common."""
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    return f"yts-mirror {__version__} (tables {HEAD_REVISION}) on Python {python}"


class OutOfReach(Exception):
    """A worker cannot reach the database; takes plain positional arguments, so that it pickles."""

    def __init__(self, address: str, reason: str) -> None:
        """Name the worker by its address within the cluster."""
        super().__init__(address, reason)
        self.address = address
        self.reason = reason


def explain_unfit() -> str | None:
    """Return why this process cannot work on any run, as a message; None if it can."""
    return _MAY_FREEZE if _may_freeze() else None


def explain_out_of_reach(settings: RunSettings) -> str | None:
    """Return why this process cannot use the database of a run, as a message; None if it can."""
    try:
        with DatabaseManager(settings.database_url, pool_size=1) as db, db.get_session():
            return None
    except DatabaseNotReady as error:
        return str(error)


def _may_freeze() -> bool:
    is_on = bool(dask.config.get("distributed.worker.profile.enabled"))
    return is_on and sys.version_info < (3, 11, 9)


@dataclass(frozen=True, slots=True)
class RunContext:
    """The settings and ids of a run that a worker needs to run its batches."""

    settings: RunSettings
    api_url: str = field(repr=False)  # It may hold a password, and dask logs arguments.
    run_id: int
    program: str = field(default_factory=describe_program)


@dataclass(slots=True)
class _AtWork:
    worker: Worker
    stop: StopRequest
    seen_at: float = field(default_factory=monotonic)


_lock = threading.Lock()
_at_work: dict[tuple[RunContext, int], _AtWork] = {}


def run_batch(order: RunContext, batch: Batch) -> BatchReport:
    """
    Run *batch* on the worker of this thread for its run.

    Raises:
        ClusterRefused: this process cannot work on that run.
        DatabaseNotReady: the database stayed out of reach.
    """
    with _lock:
        at_work = _at_work.get((order, threading.get_ident()))
    if at_work is None:
        at_work = _take_place(order)
    report = at_work.worker.run_batch(batch)
    at_work.seen_at = monotonic()
    return report


def _take_place(order: RunContext) -> _AtWork:
    if (mine := describe_program()) != order.program:
        raise ClusterRefused(f"a worker has {mine}, but the run needs {order.program}")
    if _may_freeze():
        raise ClusterRefused(f"the worker {_own_name(0)}: {_MAY_FREEZE}")
    stop, thread = StopRequest(), threading.get_ident()
    with _lock:
        # Only the workers of this thread: other threads may be using theirs.
        for key in [key for key, work in _at_work.items() if key[1] == thread and _is_over(work)]:
            _at_work.pop(key).worker.close()
        name = _own_name(sum(key[0] == order for key in _at_work))
        worker = Worker(order.settings, order.api_url, order.run_id, stop, name=name)
        at_work = _at_work[order, thread] = _AtWork(worker, stop)
    return at_work


def _own_name(number: int) -> str:
    """Return a name that no other machine, process or thread has."""
    # PostgreSQL keeps 63 characters of an application name.
    return f"{socket.gethostname()[:30]} {os.getpid()}" + (f".{number}" if number else "")


def _is_over(at_work: _AtWork) -> bool:
    return monotonic() - at_work.seen_at > IDLE_SECONDS


# The functions below can run while batches run; no batch waits for them.


async def ask_to_stop(order: RunContext) -> None:
    """Ask all workers of this process to end their batches of a run in order."""
    with _lock:
        for (other, _), at_work in _at_work.items():
            if other == order:
                at_work.stop.set()


async def leave(order: RunContext) -> None:
    """Close the connections that this process holds for a run."""
    with _lock:
        for key in [key for key in _at_work if key[0] == order]:
            at_work = _at_work.pop(key)
            at_work.stop.set()
            at_work.worker.close()
