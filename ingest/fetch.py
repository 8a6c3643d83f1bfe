"""
`run_fetch`: one whole run; probes the source, reads its list, fetches missing details.

1. Take the lock of the database, so that runs do not overlap. 2. Ask each base URL for the first
page; the first that answers like YTS is used. 3. Read list pages and save their movies. 4. Fetch
details of stored movies that lack them, in batches, on the pool. 5. Request ids that the list does
not name, and movies that it no longer names. 6. Close the run's row; each saved step has already
updated its counters.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from ingest.backends.base import Backend, ThreadBackend
from ingest.backends.processes import ProcessBackend, find_obstacle
from ingest.exit_codes import ExitCode
from ingest.phases.audit import audit
from ingest.phases.open_source import PartialSource, open_source
from ingest.phases.read_details import read_details, read_ids, retry_failed
from ingest.phases.read_list import read_list
from ingest.pool import BatchPool
from ingest.report import RunReport
from ingest.run import Listener, Run, open_run
from ingest.run_errors import exit_code_of
from ingest.settings import RunSettings
from ingest.stop import Stopped, StopReason, StopRequest
from ingest.worker.budget import LimitReached
from ingest.worker.worker import Worker, run_batch, start_worker
from ingest.worker_waits import relay_waits


def run_fetch(
    settings: RunSettings, db: DatabaseManager, command: str, listener: Listener, stop: StopRequest
) -> RunReport:
    """
    Mirror the catalogue as *settings* say; set *stop* to end early without losing saved movies.

    Failures of single pages and movies are in the report and in the ledger.

    Raises:
        FetchLockHeld: another run is using this database; it may have begun after a restart of it.
        SourceMismatch: the sandbox would be mixed into the real catalogue.
        RunTakenOver: this run lost its lock, and another has begun.
        DatabaseNotReady: the database cannot be used, also after repeated attempts.
        YtsUnavailable: no base URL answers; nothing was changed.
        YtsRefused: no base URL is one of a YTS API; nothing was changed.
        ClusterAway: scheduler or workers of the cluster are gone; saved movies stay.
        ClusterRefused: the cluster cannot do this run; nothing was changed.
    """
    stop.end_after(settings.max_seconds)
    try:
        with hold_fetch_lock(db.engine, settings.wait_lock_seconds, stop.sleep) as reacquire_lock:
            start = db.run_transaction(partial(open_run, command=command))
            return _run(
                Run(settings, db, start, listener, stop=stop, reacquire_lock=reacquire_lock)
            )
    except Stopped:
        return RunReport.of_nothing(stop.reason)


def _run(run: Run) -> RunReport:
    try:
        return _follow(run)
    except LimitReached:
        return run.finish(is_sweep_complete=False, exit_code=ExitCode.LIMIT)
    except Stopped:
        return run.finish(is_sweep_complete=False)
    except PartialSource as error:
        run.stop_reason = StopReason(str(error), ExitCode.GUARD)
        return run.finish(is_sweep_complete=False)
    except Exception as error:
        run.abandon(exit_code_of(error))
        raise


def _follow(run: Run) -> RunReport:
    settings = run.settings
    is_sweep_complete = True
    with (
        _open_backend(run) as start_backend,
        open_source(run) as source,
        _open_pool(run, start_backend(source.worker)) as pool,
    ):
        if settings.reads_list:
            is_sweep_complete = read_list(run, pool, source)
            if run.should_continue and settings.details:
                read_details(run, pool)
            run.settle_contradictions(pool)
            if is_sweep_complete:
                audit(run, pool, source)
        else:
            if settings.ids is None:
                retry_failed(run, pool, source)
            else:
                read_ids(run, pool, source, settings.ids)
            run.settle_contradictions(pool)
    return run.finish(is_sweep_complete=is_sweep_complete)


@contextmanager
def _open_backend(run: Run) -> Iterator[Callable[[Worker], Backend]]:
    """Yield a function that makes the backend of a source; connect to a cluster before that."""
    if run.settings.cluster is None:
        yield partial(_local_backend, run)
        return
    # An optional dependency.
    from ingest.backends import dask_cluster, dask_worker  # noqa: PLC0415

    with dask_cluster.open_cluster(run.settings, run.stop, run.listener.notice) as start_backend:
        yield lambda worker: start_backend(
            dask_worker.RunContext(run.settings, worker.api_url, run.run_id)
        )


@contextmanager
def _open_pool(run: Run, backend: Backend) -> Iterator[BatchPool]:
    """Open a pool; its workers start with the first batch."""
    pool = BatchPool(backend, heartbeat=run.heartbeat, stop=run.stop)
    try:
        with relay_waits(run.db, run.listener.notice):
            yield pool
    finally:
        pool.close()


def _local_backend(run: Run, worker: Worker) -> Backend:
    """Return a backend for `--workers` processes; one worker runs in this process."""
    settings = run.settings
    if settings.workers == 1:
        return ThreadBackend(worker.run_batch)
    if obstacle := find_obstacle(settings.workers):
        run.listener.notice(
            f"No worker processes can start, because /dev/shm takes no locks ({obstacle}). This "
            "process does their work. Make /dev/shm writable and larger, or use --workers 1."
        )
        return ThreadBackend(worker.run_batch)
    start = partial(start_worker, settings, worker.api_url, run.run_id)
    return ProcessBackend(settings.workers, start, run_batch)
