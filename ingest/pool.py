"""
`BatchPool`: runs batches on a backend and yields their reports, even if workers die.

At most a fixed number of batches is in flight on a backend. When a worker dies, the lost batches
run again, each alone, to find the batch that kills its worker. This batch is divided into its
movies, and a movie that kills three workers is given up.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from time import monotonic

from ingest.backends.base import Backend, BatchReturned, WorkerDied
from ingest.plan import Batch, split_batch
from ingest.report import BatchReport

BATCHES_IN_FLIGHT_PER_WORKER = 2
#: Seconds that workers may take to finish their batches when the run is stopped.
DRAIN_SECONDS = 9.0
MAX_DEATHS = 3
HEARTBEAT_SECONDS = 0.5
#: Seconds until all processes notice that a worker was killed.
SECONDS_TO_DIE = 0.05


@dataclass(frozen=True, slots=True)
class LostBatch:
    """A batch of one page or movie that has killed its worker repeatedly."""

    batch: Batch


class BatchPool:
    """
    Runs batches on a backend, which it closes.

    *stop* ends the run early: workers are asked to stop, and batches that end within
    `DRAIN_SECONDS` are still reported. *heartbeat* is called about every `HEARTBEAT_SECONDS`.
    """

    def __init__(
        self,
        backend: Backend,
        *,
        heartbeat: Callable[[], None],
        stop: threading.Event,
    ) -> None:
        """Prepare a pool without batches."""
        self._backend = backend
        self._heartbeat = heartbeat
        self._heartbeat_due = 0.0
        self._stop = stop
        self._in_flight: dict[Future[BatchReport], Batch] = {}
        self._suspects: deque[Batch] = deque()
        self._returned: deque[Batch] = deque()
        self._deaths: Counter[Batch] = Counter()

    @property
    def workers(self) -> int:
        """Number of batches that can run at the same time now."""
        return self._backend.capacity

    def run_batches(self, batches: Iterable[Batch]) -> Iterator[BatchReport | LostBatch]:
        """
        Yield the report of each of *batches* as it comes; take batches only as needed.

        An error of *run* that is not the fault of a single batch is raised.
        """
        remaining = iter(batches)
        try:
            while not self._stop.is_set():
                self._submit_from(remaining)
                if not (self._in_flight or self._suspects or self._returned):
                    return
                yield from self._take_finished()
            yield from self._drain()
        finally:
            self._abandon()

    def close(self) -> None:
        """End the batches in flight, finished or not."""
        self._abandon()
        self._backend.close()

    def _submit_from(self, remaining: Iterator[Batch]) -> None:
        if self._suspects:  # One batch at a time, so that it is clear which one kills its worker.
            if not self._in_flight:
                self._submit(self._suspects.popleft())
            return
        while len(self._in_flight) < self._backend.capacity * BATCHES_IN_FLIGHT_PER_WORKER:
            batch = self._returned.popleft() if self._returned else next(remaining, None)
            if batch is None:
                return
            self._submit(batch)

    def _submit(self, batch: Batch) -> None:
        try:
            self._in_flight[self._backend.submit(batch)] = batch
        except WorkerDied:  # Between two batches: no batch is the cause.
            self._suspects.append(batch)
            self._stop.wait(SECONDS_TO_DIE)

    def _take_finished(self) -> Iterator[BatchReport | LostBatch]:
        done, _ = wait(self._in_flight, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
        self._heartbeat_if_due()
        victims: list[Batch] = []
        for future in done:
            batch = self._in_flight.pop(future)
            try:
                yield self._backend.read(future)
            except BatchReturned:
                self._returned.append(batch)
            except WorkerDied:
                victims.append(batch)
        if victims:
            yield from self._recover(victims)

    def _heartbeat_if_due(self) -> None:
        if monotonic() >= self._heartbeat_due:
            self._heartbeat()
            self._heartbeat_due = monotonic() + HEARTBEAT_SECONDS

    def _recover(self, victims: list[Batch]) -> Iterator[BatchReport | LostBatch]:
        """Continue after the death of a worker; each lost batch may be the cause."""
        if self._backend.dies_as_one:
            victims += self._in_flight.values()
            self._in_flight.clear()
            self._backend.close()
        if len(victims) == 1 and not self._in_flight:
            # It ran alone, so this batch, or one of its movies, is the cause.
            victims = split_batch(victims[0])
            if len(victims) == 1:
                self._deaths[victims[0]] += 1
        for batch in victims:
            if self._deaths[batch] >= MAX_DEATHS:
                yield LostBatch(batch)
            else:
                self._suspects.append(batch)

    def _drain(self) -> Iterator[BatchReport | LostBatch]:
        # Batches that wait for a worker are not cancelled: they come back undone, and CPython's
        # pool fails on a cancelled batch when a process dies (python/cpython#107219).
        self._backend.ask_to_stop()
        deadline = monotonic() + DRAIN_SECONDS
        while self._in_flight and monotonic() < deadline:
            done, _ = wait(self._in_flight, timeout=HEARTBEAT_SECONDS, return_when=FIRST_COMPLETED)
            self._heartbeat_if_due()
            for future in done:
                del self._in_flight[future]
                if not future.cancelled() and future.exception() is None:
                    yield future.result()

    def _abandon(self) -> None:
        """End the batches in flight with their workers; after an error, let them save first."""
        if not self._in_flight:
            return
        if not self._stop.is_set() and self._backend.ask_to_stop():
            wait(self._in_flight, timeout=DRAIN_SECONDS)
        self._in_flight.clear()
        self._backend.close()
