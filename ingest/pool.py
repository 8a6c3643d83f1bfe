"""
The process pool: batches in, reports out, whatever dies.

A bounded window of batches is in flight. When a process dies, the pool is built
anew and the batches that were in flight run again, each alone, so that the one
that kills its process is found. It is taken apart into its movies, and the movie
that goes on killing is given up after three deaths.
"""

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, ProcessPoolExecutor, wait
from concurrent.futures import ThreadPoolExecutor as InProcessExecutor
from concurrent.futures.process import BrokenProcessPool
from time import monotonic

from ingest.plan import Batch, split_batch
from ingest.processes import ask_to_stop, kill_processes, open_processes
from ingest.report import BatchReport

BATCHES_IN_FLIGHT_PER_WORKER = 2
#: How long workers may take to finish what they hold when the run is stopped.
DRAIN_SECONDS = 9.0
DEATHS_UNTIL_GIVEN_UP = 3
TICK_SECONDS = 0.5
#: Until a process that was killed is gone for everybody.
SECONDS_TO_DIE = 0.05


class BatchPool:
    """
    Runs batches on *workers* processes; one worker means a thread of this process.

    *start* runs once in each new process, *run* for each batch; both with plain values.
    *stop* ends the run early: workers are asked to stop, and what they finish within
    `DRAIN_SECONDS` is still reported. *give_up* turns a batch that kills its
    process into a report. *tick* is called about every `TICK_SECONDS`.
    """

    def __init__(
        self,
        workers: int,
        *,
        start: Callable[[], object],
        run: Callable[[Batch], BatchReport],
        give_up: Callable[[Batch], BatchReport],
        tick: Callable[[], None],
        stop: threading.Event,
    ) -> None:
        """Start no process yet."""
        self._workers = workers
        self._start = start
        self._run = run
        self._give_up = give_up
        self._tick = tick
        self._tick_due = 0.0
        self._stop = stop
        self._executor: Executor | None = None
        self._in_flight: dict[Future[BatchReport], Batch] = {}
        self._suspects: deque[Batch] = deque()
        self._deaths: Counter[Batch] = Counter()

    def run_batches(self, batches: Iterable[Batch]) -> Iterator[BatchReport]:
        """
        Yield the report of each of *batches* as it comes; takes them only as needed.

        Raises whatever *run* raised: that is no single batch's fault.
        """
        remaining = iter(batches)
        try:
            while not self._stop.is_set():
                self._submit_from(remaining)
                if not (self._in_flight or self._suspects):
                    return
                yield from self._take_finished()
            yield from self._drain()
        finally:
            self._abandon()

    def close(self) -> None:
        """End the processes, finished or not."""
        self._abandon()
        self._close_executor()

    def _submit_from(self, remaining: Iterator[Batch]) -> None:
        if self._suspects:  # One at a time: then it is clear who killed whom.
            if not self._in_flight:
                self._submit(self._suspects.popleft())
            return
        while len(self._in_flight) < self._workers * BATCHES_IN_FLIGHT_PER_WORKER:
            if (batch := next(remaining, None)) is None:
                return
            self._submit(batch)

    def _submit(self, batch: Batch) -> None:
        if self._executor is None:
            self._executor = self._open_executor()
        try:
            self._in_flight[self._executor.submit(self._run, batch)] = batch
        except (BrokenProcessPool, ConnectionError, EOFError):
            # A process, or the server that forks them, died between two batches: nobody did it.
            self._close_executor()
            self._suspects.append(batch)
            self._stop.wait(SECONDS_TO_DIE)

    def _open_executor(self) -> Executor:
        if self._workers == 1:
            return InProcessExecutor(1, thread_name_prefix="worker")
        return open_processes(self._workers, self._start)

    def _take_finished(self) -> Iterator[BatchReport]:
        done, _ = wait(self._in_flight, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
        self._tick_if_due()
        victims: list[Batch] = []
        for future in done:
            batch = self._in_flight.pop(future)
            try:
                yield future.result()
            except BrokenProcessPool:
                victims.append(batch)
        if victims:
            yield from self._recover(victims)

    def _tick_if_due(self) -> None:
        if monotonic() >= self._tick_due:
            self._tick()
            self._tick_due = monotonic() + TICK_SECONDS

    def _recover(self, victims: list[Batch]) -> Iterator[BatchReport]:
        """Build the pool anew after a death; every batch in flight is a suspect."""
        victims += self._in_flight.values()
        self._in_flight.clear()
        self._close_executor()
        if len(victims) == 1:  # It was alone, so it is guilty, or one of its movies is.
            victims = split_batch(victims[0])
            if len(victims) == 1:
                self._deaths[victims[0]] += 1
        for batch in victims:
            if self._deaths[batch] >= DEATHS_UNTIL_GIVEN_UP:
                yield self._give_up(batch)
            else:
                self._suspects.append(batch)

    def _drain(self) -> Iterator[BatchReport]:
        # What waits for a worker is not cancelled: it comes back undone, and CPython's pool
        # chokes on a cancelled batch when a process dies (python/cpython#107219).
        ask_to_stop()
        deadline = monotonic() + DRAIN_SECONDS
        while self._in_flight and monotonic() < deadline:
            done, _ = wait(self._in_flight, timeout=TICK_SECONDS, return_when=FIRST_COMPLETED)
            self._tick_if_due()
            for future in done:
                del self._in_flight[future]
                if future.exception() is None:
                    yield future.result()

    def _abandon(self) -> None:
        """End what is in flight with its processes; after an error, it may be saved for a while."""
        if not self._in_flight:
            return
        if not self._stop.is_set():
            ask_to_stop()
            wait(self._in_flight, timeout=DRAIN_SECONDS)
        self._in_flight.clear()
        self._close_executor()

    def _close_executor(self) -> None:
        if self._executor is None:
            return
        if isinstance(self._executor, ProcessPoolExecutor):
            # Nobody waits for them, and one that died may have taken along the lock
            # without which the others never hear that they should end.
            kill_processes()
        is_thread = isinstance(self._executor, InProcessExecutor)
        self._executor.shutdown(wait=not is_thread, cancel_futures=True)
        self._executor = None
