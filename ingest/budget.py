"""Waiting for one's turn: slots of the shared budget, and sleep that a stop interrupts."""

import threading

from sqlalchemy import Engine

from database.budget import reset_budget, slow_down, take_slot
from database.transient import repeat_transient
from ingest.stop import Stopped

#: The pace of a run with a limit of requests but none of the rate.
UNLIMITED_RATE = 1e6


class LimitReached(Stopped):
    """The run has made as many requests as it may."""


class RequestBudget:
    """Hands out the slots of one database's budget to the threads of one process."""

    def __init__(
        self, engine: Engine, rate: float, stop: threading.Event, limit: int | None = None
    ) -> None:
        """Ask for *rate* requests a second in all, and *limit* in sum; 0 and None: no limit."""
        self._engine = engine
        self._rate = rate or (UNLIMITED_RATE if limit is not None else 0.0)
        self._limit = limit
        self._stop = stop

    def reset(self) -> None:
        """Set pace and limit for everybody on this database, at the start of a run."""
        if self._rate > 0:
            repeat_transient(lambda: reset_budget(self._engine, self._rate, self._limit))

    def take_slot(self) -> None:
        """
        Wait until a request may leave.

        Raises:
            Stopped: the run is being stopped.
            LimitReached: no request may leave any more.
        """
        self.sleep(0)  # Who is to stop must not wait for a database that is away, either.
        if self._rate <= 0:
            return
        seconds = repeat_transient(lambda: take_slot(self._engine, self._rate, self._limit))
        if seconds is None:
            raise LimitReached
        self.sleep(seconds)

    def slow_down(self, retry_after_seconds: float | None) -> None:
        """Make everybody on this database slower, for the server has asked for it."""
        if self._rate > 0:
            repeat_transient(lambda: slow_down(self._engine, self._rate, retry_after_seconds))

    def sleep(self, seconds: float) -> None:
        """
        Sleep, or wake at once when the run is stopped.

        Raises:
            Stopped: the run is being stopped.
        """
        if self._stop.is_set() or self._stop.wait(seconds):
            raise Stopped
