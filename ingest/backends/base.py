"""What the pool puts batches on: a thread, processes of this machine, or a cluster."""

from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:  # Whoever starts or ends processes needs none of what a report is made of.
    from ingest.plan import Batch
    from ingest.report import BatchReport


class WorkerDied(Exception):
    """Whoever had a batch is no more; it may be submitted again."""


class BatchReturned(Exception):
    """The worker of a batch cannot do it and was left out; another one may well do it."""


class ClusterAway(Exception):
    """The cluster cannot be used just now; the same run may well go on later."""


class ClusterRefused(Exception):
    """The cluster is not one for this run, until somebody changes something."""


class Backend(Protocol):
    """Runs batches, each of them on one of its workers."""

    #: Whether everything in flight is lost with one worker.
    dies_as_one: bool

    @property
    def capacity(self) -> int:
        """How many batches run at the same time, at the moment."""

    def submit(self, batch: "Batch") -> "Future[BatchReport]":
        """
        Have *batch* run by whoever is free first.

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
        """Ask for an orderly end of what is in flight; return whether there is anybody to ask."""

    def close(self) -> None:
        """End what is in flight, finished or not; what is submitted later begins anew."""


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
        """Do nothing: the thread shares the wish of this process."""
        return True

    def close(self) -> None:
        """Begin no other batch; nobody waits for the one that is in flight."""
        if self._executor is not None:
            self._executor.shutdown(wait=False, cancel_futures=True)
            self._executor = None
