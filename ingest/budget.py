"""Waiting for one's turn: slots of the shared budget."""

from collections.abc import Callable
from functools import partial
from typing import TypeVar

from sqlalchemy import Engine

from database.budget import Slot, renew_slot, reset_budget, slow_down, take_slot
from database.transient import repeat_transient
from ingest.stop import Stop, Stopped

#: The pace of a run with a limit of requests but none of the rate.
UNLIMITED_RATE = 1e6
#: Who waited no longer than this goes without a look whether the server said "slower" meanwhile:
#: its answer to us would hardly have come by then, and many short waits are many looks.
SECONDS_NOT_WORTH_A_LOOK = 0.1

Result = TypeVar("Result")


class LimitReached(Stopped):
    """The run has made as many requests as it may."""


class RequestBudget:
    """Hands out the slots of one database's budget to the threads of one process."""

    def __init__(self, engine: Engine, rate: float, stop: Stop, limit: int | None = None) -> None:
        """Ask for *rate* requests a second in all, and *limit* in sum; 0 and None: no limit."""
        self._engine = engine
        self._rate = rate or (UNLIMITED_RATE if limit is not None else 0.0)
        self._limit = limit
        self._stop = stop

    def reset(self) -> None:
        """Set pace and limit for everybody on this database, at the start of a run."""
        if self._rate > 0:
            self._repeat(lambda: reset_budget(self._engine, self._rate, self._limit))

    def take_slot(self) -> None:
        """
        Wait until a request may leave.

        Raises:
            Stopped: the run is being stopped.
            LimitReached: no request may leave any more.
        """
        self._stop.sleep(0)  # Who is to stop must not wait for a database that is away, either.
        if self._rate <= 0:
            return
        slot = self._repeat(self._take_slot)
        if slot is None:
            raise LimitReached
        while slot is not None:
            self._stop.sleep(slot.seconds)
            is_worth_a_look = slot.seconds > SECONDS_NOT_WORTH_A_LOOK
            renew = partial(renew_slot, self._engine, slot)
            slot = self._repeat(renew) if is_worth_a_look else None

    def _repeat(self, step: Callable[[], Result]) -> Result:
        return repeat_transient(step, sleep=self._stop.sleep)

    def _take_slot(self) -> Slot | None:
        return take_slot(self._engine, self._rate, is_limited=self._limit is not None)

    def slow_down(self, retry_after_seconds: float | None) -> None:
        """Make everybody on this database slower, for the server has asked for it."""
        if self._rate > 0:
            self._repeat(lambda: slow_down(self._engine, self._rate, retry_after_seconds))
