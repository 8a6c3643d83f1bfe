"""The ids of a batch on their way to the threads, and what has come back, in portions."""

import threading
from collections import deque
from collections.abc import Iterable
from time import monotonic
from typing import Generic, TypeVar

Fetched = TypeVar("Fetched")

#: A portion is handed over when it has this many movies, or is this old in seconds.
MOVIES_PER_CHUNK = 100
SECONDS_PER_CHUNK = 2.0


class WorkQueue(Generic[Fetched]):
    """
    What several threads do for one that waits, which is woken for whole portions only.

    A thread takes ids with `next_id` until there is none, and then says `leave`.
    """

    def __init__(self, ids: Iterable[int], threads: int) -> None:
        """Wait for *threads* threads to leave."""
        self._ids = deque(ids)
        self._come: dict[int, Fetched] = {}
        self._since = monotonic()
        self._at_work = threads
        self._changed = threading.Condition()

    def next_id(self) -> int | None:
        """Return an id that nobody has asked for yet; None if there is none."""
        try:
            return self._ids.popleft()
        except IndexError:
            return None

    def cancel_pending(self) -> None:
        """Let nobody begin with another id."""
        self._ids.clear()

    def put_result(self, movie_id: int, fetched: Fetched) -> None:
        """Bring what has come of one id."""
        with self._changed:
            self._come[movie_id] = fetched
            if len(self._come) >= MOVIES_PER_CHUNK:
                self._changed.notify()

    def worker_done(self) -> None:
        """Say that this thread takes no more."""
        with self._changed:
            self._at_work -= 1
            self._changed.notify()

    @property
    def is_done(self) -> bool:
        """Tell whether all threads have left and everything was taken."""
        return not (self._at_work or self._come)

    def take_chunk(self, *, seconds: float, is_last: bool = False) -> dict[int, Fetched]:
        """Wait up to *seconds* for a portion and return it; *is_last* takes whatever is there."""
        with self._changed:
            self._changed.wait_for(self._is_due, timeout=seconds)
            if not (is_last or self._is_due()):
                return {}
            come, self._come, self._since = self._come, {}, monotonic()
            return come

    def _is_due(self) -> bool:
        is_old = monotonic() - self._since >= SECONDS_PER_CHUNK
        return is_old or not self._at_work or len(self._come) >= MOVIES_PER_CHUNK
