"""`BudgetClient`: waits for slots of the request budget, which all runs share."""

from collections.abc import Callable
from functools import partial
from time import monotonic
from typing import TypeVar

from sqlalchemy import Engine

from database.bookkeeping.request_budget import Slot, renew_slot, reset_budget, slow_down, take_slot
from database.connection.retry import repeat_transient
from database.connection.waits import waiting_for
from ingest.stop import Stopped, StopRequest

#: The rate of a run that limits its requests but not its rate.
UNLIMITED_RATE = 1e6
#: Maximum number of threads that wait for slots at the same time, if their number is not known.
MOST_TAKERS = 256
#: After a wait of at most this many seconds, a worker does not check whether a 429 came meanwhile:
#: it would hardly have come by then, and many short waits would mean many checks.
SECONDS_NOT_WORTH_A_LOOK = 0.1
#: A worker that wakes later than this, and later than the next slot, takes another slot, once: late
#: requests arrive together with the next ones, and the server counts them.
SECONDS_LATE = 0.02

Result = TypeVar("Result")


class LimitReached(Stopped):
    """The run has made as many requests as it may."""


class BudgetClient:
    """Hands out the slots of one database's budget to the threads of one process."""

    def __init__(
        self,
        engine: Engine,
        rate: float,
        stop: StopRequest,
        limit: int | None = None,
        *,
        takers: int | None = None,
    ) -> None:
        """
        Use *rate* requests a second and *limit* requests in total; 0 and None mean no limit.

        *takers* threads of the run may wait for slots at the same time; None if not known.
        """
        self._takers = takers or MOST_TAKERS
        self._backend = engine
        self._rate = rate or (UNLIMITED_RATE if limit is not None else 0.0)
        self._limit = limit
        self._stop = stop

    def reset(self) -> float:
        """
        Set pace and limit for all workers on this database, at the start of a run.

        Return how many seconds ahead slots were that a wrong clock had left; 0 if there were none.
        """
        if self._rate <= 0:
            return 0.0
        return self._repeat(lambda: reset_budget(self._backend, self._rate, self._limit))

    def take_slot(self) -> None:
        """
        Wait until a request may be sent.

        Raises:
            Stopped: the run is being stopped.
            LimitReached: no more requests may be sent.
        """
        self._stop.sleep(0)  # A stop must not wait for an unreachable database either.
        if self._rate <= 0:
            return
        slot = self._repeat(self._take_slot)
        if slot is None:
            raise LimitReached
        is_late = False
        while slot is not None:
            due = monotonic() + slot.seconds
            why = "YTS asked for a pause" if slot.slowed_at else f"--rate {self._rate:g}"
            with waiting_for(f"the next request, in {slot.seconds:.0f} s: {why}"):
                self._stop.sleep(slot.seconds)
            is_late = not is_late and monotonic() - due > max(SECONDS_LATE, 1 / self._rate)
            slot = self._renew_slot(slot, is_late=is_late)

    def _renew_slot(self, slot: Slot, *, is_late: bool) -> Slot | None:
        if not is_late and slot.seconds <= SECONDS_NOT_WORTH_A_LOOK:
            return None
        return self._repeat(partial(renew_slot, self._backend, slot, is_late=is_late))

    def _repeat(self, step: Callable[[], Result]) -> Result:
        return repeat_transient(step, sleep=self._stop.sleep)

    def _take_slot(self) -> Slot | None:
        return take_slot(
            self._backend, self._rate, is_limited=self._limit is not None, takers=self._takers
        )

    def pause(self, seconds: float) -> None:
        """
        Wait until the next attempt after a failure.

        Raises:
            Stopped: the run is being stopped.
        """
        with waiting_for(f"the next attempt, in {seconds:.0f} s: YTS gave no usable response"):
            self._stop.sleep(seconds)

    def slow_down(self, retry_after_seconds: float | None) -> None:
        """Slow down all workers of this database, because the server asked for it."""
        if self._rate > 0:
            self._repeat(lambda: slow_down(self._backend, self._rate, retry_after_seconds))
