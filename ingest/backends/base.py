"""`Backend`: what the pool runs batches on; `ThreadBackend`: a thread of this process."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # Starting and ending processes does not need the imports of a report.
    from ingest.plan import Batch
    from ingest.report import BatchReport


class WorkerDied(Exception):
    """The worker that had a batch is dead; the batch may be submitted again."""


class BatchReturned(Exception):
    """The worker of a batch cannot run it and gets no further batch; another worker may run it."""


class ClusterAway(Exception):
    """The cluster cannot be used now; the same run may continue later."""


class ClusterRefused(Exception):
    """The cluster cannot do this run until its setup is changed."""


class Backend(Protocol):
    """Runs batches, each of them on one of its workers."""

    #: Whether the death of one worker loses all batches in flight.
    dies_as_one: bool

    @property
    def capacity(self) -> int:
        """Number of batches that can run at the same time now."""

    def submit(self, batch: "Batch") -> "Future[BatchReport]":
        """
        Run *batch* on the first free worker.

        Raises:
            WorkerDied: a worker died while it was idle; *batch* is not taken.
        """

    def read(self, future: "Future[BatchReport]") -> "BatchReport":
        """
        Return the report of a batch that has ended.

        Raises:
            WorkerDied: the worker died before the batch was done, perhaps because of it.
            BatchReturned: the worker cannot run the batch; submit it again.
        """

    def ask_to_stop(self) -> bool:
        """Ask workers to end their batches in order; return whether any worker was asked."""

    def close(self) -> None:
        """End the batches in flight, finished or not; the next batch starts new workers."""


class ThreadBackend:
    """One worker that is a thread of this process."""

    dies_as_one = False
    capacity = 1

    def __init__(self, run: "Callable[[Batch], BatchReport]") -> None:
        """Start no thread yet. *run* must check by itself whether it should stop."""
        self._run = run
        self._executor: Executor | None = None

    def submit(self, batch: "Batch") -> "Future[BatchReport]":
        """Run *batch* after the batches that were submitted before it."""
        if self._executor is None:
            self._executor = ThreadPoolExecutor(1, thread_name_prefix="worker")
        return self._executor.submit(self._run, batch)

    def read(self, future: "Future[BatchReport]") -> "BatchReport":
        """Return the report of a batch that has ended."""
        return future.result()

    def ask_to_stop(self) -> bool:
        """Do nothing: the thread shares the stop request of this process."""
        return True

    def close(self) -> None:
        """Start no further batch, and do not wait for the one in flight."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
