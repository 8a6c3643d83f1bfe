"""`Backend`: what the pool runs batches on; `ThreadBackend`: a thread of this process."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # Starting and ending processes needs none of the imports of a report.
    from ingest.plan import Batch
    from ingest.report import BatchReport


class WorkerDied(Exception):
    """The worker that had a batch is dead; the batch may be submitted again."""


class BatchReturned(Exception):
    """The worker of a batch cannot do it and was left out; another one may well do it."""


class ClusterAway(Exception):
    """The cluster cannot be used now; the same run may well continue later."""


class ClusterRefused(Exception):
    """The cluster cannot do this run until its setup is changed."""


class Backend(Protocol):
    """Runs batches, each of them on one of its workers."""

    #: Whether everything in flight is lost with one worker.
    dies_as_one: bool

    @property
    def capacity(self) -> int:
        """How many batches run at the same time, at the moment."""

    def submit(self, batch: "Batch") -> "Future[BatchReport]":
        """
        Run *batch* on the first free worker.

        Raises:
            WorkerDied: while there was nothing to do; *batch* is not taken.
        """

    def read(self, future: "Future[BatchReport]") -> "BatchReport":
        """
        Return the report of a batch that has ended.

        Raises:
            WorkerDied: before the batch was done, perhaps because of it.
            BatchReturned: the batch is to be submitted again.
        """

    def ask_to_stop(self) -> bool:
        """Ask for an orderly end of what is in flight; return whether a worker was asked."""

    def close(self) -> None:
        """End what is in flight, finished or not; the next batch starts new workers."""


class ThreadBackend:
    """One worker that is a thread of this process."""

    dies_as_one = False
    capacity = 1

    def __init__(self, run: "Callable[[Batch], BatchReport]") -> None:
        """Start no thread yet. *run* knows by itself when it should stop."""
        self._run = run
        self._executor: Executor | None = None

    def submit(self, batch: "Batch") -> "Future[BatchReport]":
        """Have *batch* run after those before it."""
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
        """Start no other batch, and do not wait for the one in flight."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
