"""
`DaskBackend`, `open_cluster`: run batches on the workers of a dask cluster.

The scheduler holds only batches in flight. A result stays on the worker that computed it, and is
computed again if this worker dies. `BatchPool` decides what the death of a worker means.
"""

import logging
import threading
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import CancelledError, Future, wait
from contextlib import contextmanager, suppress
from functools import partial
from time import monotonic
from typing import Any

from distributed import Client, KilledWorker, get_worker
from distributed.security import Security

from database.connection.waits import waiting_for
from database.errors import DatabaseAway
from ingest.backends import dask_worker as cluster_worker
from ingest.backends.base import BatchReturned, ClusterAway, ClusterRefused, WorkerDied
from ingest.backends.dask_worker import OutOfReach, RunContext
from ingest.plan import Batch
from ingest.report import BatchReport
from ingest.settings import ClusterSettings, RunSettings
from ingest.stop import StopRequest

CONNECT_SECONDS = 10.0
#: How long a cluster may be without any worker.
PATIENCE_SECONDS = 60.0
TELL_SECONDS = 2.0
#: Seconds between two reads of the number of workers, because more may join.
SECONDS_BETWEEN_COUNTS = 2.0


@contextmanager
def open_cluster(
    settings: RunSettings, stop: StopRequest, notice: Callable[[str], None]
) -> Iterator[Callable[[RunContext], "DaskBackend"]]:
    """
    Connect to the scheduler, check its workers, and yield a function that makes the backend.

    A worker that cannot reach the database is left out; *notice* gets its name.

    Raises:
        Stopped: the run is stopped before that.
        ClusterAway: no scheduler answers, or it has no worker.
        ClusterRefused: the cluster cannot do this run.
    """
    assert settings.cluster is not None  # noqa: S101 -- the caller looks
    # It logs a reconnection as an error with a traceback; real errors are raised.
    logging.getLogger("distributed").setLevel(logging.CRITICAL)
    with waiting_for(f"the scheduler at {settings.cluster.address}"):
        client = stop.call(partial(_connect, settings.cluster))
    try:
        stop.call(partial(_wait_for_worker, client, settings.cluster))
        unfit = stop.call(partial(_inspect, client, settings))
        for address, reason in unfit.items():
            notice(_describe_unfit(address, reason))
        yield partial(DaskBackend, client, frozenset(unfit), notice)
    finally:
        with suppress(OSError):
            client.close(timeout=1)


def _connect(cluster: ClusterSettings) -> Client:
    security = None
    if cluster.is_encrypted:
        security = Security(
            tls_ca_file=cluster.ca,
            tls_client_cert=cluster.cert,
            tls_client_key=cluster.key,
            require_encryption=True,
        )
    try:
        return Client(
            cluster.address, security=security, timeout=CONNECT_SECONDS, set_as_default=False
        )
    except OSError as error:
        how = " with these certificates" if cluster.is_encrypted else ""
        raise ClusterAway(f"no scheduler answers at {cluster.address}{how}") from error


def _wait_for_worker(client: Client, cluster: ClusterSettings) -> None:
    try:
        client.wait_for_workers(1, timeout=CONNECT_SECONDS)
    except OSError as error:
        raise ClusterAway(f"the scheduler at {cluster.address} has no worker") from error


def _inspect(client: Client, settings: RunSettings) -> dict[str, str]:
    """
    Check that all workers have this program; return which cannot reach the database, and why.

    Raises:
        ClusterRefused: a worker has another version or may freeze, or no worker can do this run.
    """

    def describe() -> str:
        # Sent by value, because it has no importable name; the module it imports must be there.
        from ingest.backends.dask_worker import describe_program  # noqa: PLC0415

        return describe_program()

    mine = describe()
    # The scheduler unpickles what is sent to workers, so it needs our classes as well.
    workers = _ask_workers(client, describe)
    programs = {"the scheduler": _ask_scheduler(client, describe)}
    programs |= {f"the worker at {address}": program for address, program in workers.items()}
    for member, program in programs.items():
        if program != mine:
            theirs = "not this program" if isinstance(program, Exception) else program
            raise ClusterRefused(
                f"{member} has {theirs}, but {mine} is here. Have the same on all machines, the "
                "scheduler's as well, and restart them as docs/cluster.md says"
            )
    for address, trouble in _ask_workers(client, cluster_worker.explain_unfit).items():
        if trouble is not None:
            raise ClusterRefused(f"the worker at {address}: {trouble}")
    reasons = _ask_workers(client, cluster_worker.explain_out_of_reach, settings)
    unfit = {address: str(reason) for address, reason in reasons.items() if reason is not None}
    if reasons and len(unfit) == len(reasons):
        raise ClusterRefused(f"no worker can use the database; {_join(unfit)}")
    return unfit


def _describe_unfit(address: str, reason: str) -> str:
    return f"The worker at {address} is left out, because it cannot use the database: {reason}"


def _join(unfit: dict[str, str]) -> str:
    return "; ".join(f"the worker at {address}: {reason}" for address, reason in unfit.items())


def _ask_scheduler(client: Client, call: Callable[[], str]) -> str | Exception:
    try:
        return str(client.run_on_scheduler(call))
    except OSError as error:
        raise ClusterAway("the scheduler went away") from error
    except Exception as error:  # noqa: BLE001 -- whatever it says, it could not run it
        return error


def _ask_workers(client: Client, *call: Any) -> dict[str, Any]:
    """
    Return what each worker returns for a call, or the error that it ends with.

    A worker that does not answer in time is busy with another run; each batch checks this again.
    """
    asked = {
        client.get_executor(pure=False, workers=[address]).submit(*call): address
        for address in _count_threads(client)
    }
    answered, _ = wait(asked, timeout=CONNECT_SECONDS)
    try:
        return {asked[future]: future.exception() or future.result() for future in answered}
    except CancelledError as error:
        raise ClusterAway("the scheduler went away") from error


def _count_threads(client: Client) -> dict[str, int]:
    try:
        return dict(client.nthreads(callback_timeout=CONNECT_SECONDS))
    except (OSError, ValueError) as error:
        raise ClusterAway("the scheduler went away") from error


def _run_batch(order: RunContext, batch: Batch) -> BatchReport:
    """Run *batch* on a worker; an error of its database names the worker."""
    try:
        return cluster_worker.run_batch(order, batch)
    except DatabaseAway as error:
        raise OutOfReach(get_worker().address, str(error)) from error


class DaskBackend:
    """All workers of a cluster, also those that join later."""

    dies_as_one = False

    def __init__(
        self,
        client: Client,
        left_out: frozenset[str],
        notice: Callable[[str], None],
        order: RunContext,
    ) -> None:
        """Prepare the backend; the caller closes *client*."""
        self._client = client
        self._order = order
        self._notice = notice
        #: Addresses of workers that cannot reach the database, and why.
        self._left_out = dict.fromkeys(left_out, "")
        self._fit: list[str] = []
        self._executor = client.get_executor(pure=False)
        self._slots = 1
        self._counted_at = float("-inf")
        self._has_worker_at = monotonic()

    @property
    def capacity(self) -> int:
        """
        Number of batches that can run at the same time now; 1 while there is no worker.

        Raises:
            ClusterAway: the scheduler is gone, or it has had no worker for a while.
            DatabaseAway: no worker that is left can reach the database.
        """
        if monotonic() - self._counted_at > SECONDS_BETWEEN_COUNTS:
            self._count()
        return max(1, self._slots)

    def _count(self) -> None:
        threads = _count_threads(self._client)
        fit = {
            address: count for address, count in threads.items() if address not in self._left_out
        }
        if threads and not fit:
            reason = next(filter(None, reversed(self._left_out.values())), "see above")
            raise DatabaseAway(f"No worker of the cluster can use the database: {reason}")
        self._fit = sorted(fit)
        threads_before = self._slots
        self._slots = sum(fit.values())
        self._counted_at = monotonic()
        if not self._slots and threads_before:
            self._notice(f"No worker is left; waiting up to {PATIENCE_SECONDS:g} s for one.")
        if self._slots:
            self._has_worker_at = self._counted_at
        elif self._counted_at - self._has_worker_at > PATIENCE_SECONDS:
            raise ClusterAway(f"no worker was left for {PATIENCE_SECONDS:g} s")

    def submit(self, batch: Batch) -> Future[BatchReport]:
        """Run *batch* on the first free worker."""
        # Another worker may run it if these have left meanwhile.
        where = {"workers": self._fit, "allow_other_workers": True} if self._left_out else {}
        future: Future[BatchReport] = self._executor.submit(_run_batch, self._order, batch, **where)
        return future

    def read(self, future: Future[BatchReport]) -> BatchReport:
        """
        Return the report of a batch that has ended.

        Raises:
            WorkerDied: several workers died, one after the other, while they ran this batch.
            BatchReturned: its worker cannot reach the database, and is left out from now on.
            ClusterAway: the scheduler is gone, and the state of the batch with it.
        """
        try:
            return future.result()
        except OutOfReach as error:
            self._leave_out(error.address, error.reason)
            raise BatchReturned from error
        except KilledWorker as error:
            raise WorkerDied from error
        except CancelledError as error:
            raise ClusterAway("the scheduler went away") from error

    def _leave_out(self, address: str, reason: str) -> None:
        if address not in self._left_out:
            self._left_out[address] = reason
            self._notice(_describe_unfit(address, reason))
        self._counted_at = float("-inf")  # The next batch goes to a worker that is left.

    def ask_to_stop(self) -> bool:
        """Ask every worker to end its batches of this run in order."""
        return self._tell_all(cluster_worker.ask_to_stop)

    def close(self) -> None:
        """Cancel waiting batches, and let every worker close its connections for this run."""
        self._executor.shutdown(wait=False)
        self._executor = self._client.get_executor(pure=False)
        self._tell_all(cluster_worker.leave)

    def _tell_all(self, tell: Callable[[RunContext], Awaitable[None]]) -> bool:
        """Ask all workers to stop; do not wait for a worker that hangs."""
        if self._client.status != "running":
            return False
        thread = threading.Thread(target=self._run_on_all, args=(tell,), daemon=True)
        thread.start()
        thread.join(TELL_SECONDS)
        return True

    def _run_on_all(self, tell: Callable[[RunContext], Awaitable[None]]) -> None:
        # A worker that is disconnected notices later that the run has ended.
        with suppress(OSError, CancelledError):
            self._client.run(tell, self._order, wait=False, on_error="ignore")
