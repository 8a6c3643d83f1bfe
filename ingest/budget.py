"""Waiting for one's turn: slots of the shared budget, and sleep that a stop interrupts."""

import threading

from sqlalchemy import Engine

from database.budget import slow_down, take_slot
from database.transient import repeat_transient


class Stopped(Exception):
    """The run is being stopped: leave at once, having tried nothing."""


class RequestBudget:
    """Hands out the slots of one database's budget to the threads of one process."""

    def __init__(self, engine: Engine, rate: float, stop: threading.Event) -> None:
        """Ask for *rate* requests a second in all; 0 means no limit."""
        self._engine = engine
        self._rate = rate
        self._stop = stop

    def take_slot(self) -> None:
        """
        Wait until a request may leave.

        Raises:
            Stopped: the run is being stopped.
        """
        self.sleep(0)  # Who is to stop must not wait for a database that is away, either.
        if self._rate > 0:
            self.sleep(repeat_transient(lambda: take_slot(self._engine, self._rate)))

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
