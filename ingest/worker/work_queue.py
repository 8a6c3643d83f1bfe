"""`WorkQueue`: hands ids of a batch to threads, and their results to one consumer, in chunks."""

import threading
from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import Generic, TypeVar

Fetched = TypeVar("Fetched")

#: A chunk of movies is full when it has this many, or is this old in seconds.
MOVIES_PER_CHUNK = 100
SECONDS_PER_CHUNK = 2.0


class WorkQueue(Generic[Fetched]):
    """
    A work queue: several threads fetch, one consumer is woken for each full chunk.

    A thread takes ids with `next_id` until it returns None, and then calls `worker_done`.
    """

    def __init__(self, ids: Iterable[int], threads: int, chunk_size: int) -> None:
        """Prepare a queue for *threads* threads, with *chunk_size* results in a full chunk."""
        self._ids = deque(ids)
        self._chunk_size = chunk_size
        self._come: dict[int, Fetched] = {}
        self._since = monotonic()
        self._at_work = threads
        self._changed = threading.Condition()

    def next_id(self) -> int | None:
        """Return an id that no thread has taken yet; None if there is none."""
        try:
            return self._ids.popleft()
        except IndexError:
            return None

    def cancel_pending(self) -> None:
        """Hand out no more ids."""
        self._ids.clear()

    def put_result(self, movie_id: int, fetched: Fetched) -> None:
        """Add the result of one id."""
        with self._changed:
            self._come[movie_id] = fetched
            if len(self._come) >= self._chunk_size:
                self._changed.notify()

    def worker_done(self) -> None:
        """Note that a thread takes no more ids."""
        with self._changed:
            self._at_work -= 1
            self._changed.notify()

    @property
    def is_done(self) -> bool:
        """Return whether all threads are done and all results were taken."""
        return not (self._at_work or self._come)

    def take_chunk(self, *, seconds: float, is_last: bool = False) -> dict[int, Fetched]:
        """Wait up to *seconds* for a full chunk; with *is_last*, return all results so far."""
        with self._changed:
            self._changed.wait_for(self._is_due, timeout=seconds)
            if not (is_last or self._is_due()):
                return {}
            come, self._come, self._since = self._come, {}, monotonic()
            return come

    def _is_due(self) -> bool:
        is_old = monotonic() - self._since >= SECONDS_PER_CHUNK
        return is_old or not self._at_work or len(self._come) >= self._chunk_size
