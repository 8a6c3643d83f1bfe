"""`ProgressMeter`, `Countdown`, `RateHistory`: state, rates and ETA of a run; no I/O."""

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import pairwise
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # A fetch has no use for it.
    from database.bookkeeping.rows import RunRow, RunState
    from database.monitoring.status import Status

#: Rates are measured over this many seconds.
WINDOW_SECONDS = 60.0
#: Rates over less time than this are not used, because steps are saved in chunks.
TRUSTED_SECONDS = 5.0

#: Number of rates remembered, and the seconds that each covers: five minutes.
RATES_SHOWN = 30
SECONDS_PER_RATE = 10.0
_BARS = "▁▂▃▄▅▆▇█"

COUNTERS = ("requests", "pages_read", "details_read")
Rates = dict[str, float]


@dataclass(frozen=True, slots=True)
class Pace:
    """State, rates and ETA of one run at one moment."""

    state: "RunState"
    elapsed_seconds: float
    #: Increase of each counter a second, in the last minute, or in the whole run if less was seen.
    rates: Rates
    #: Seconds to the end of the run; None while unknown.
    eta_seconds: float | None


class ProgressMeter:
    """Records the recent statuses of a run in one phase."""

    def __init__(self) -> None:
        """Begin without records."""
        self._seen: deque[Status] = deque()

    def record(self, status: "Status") -> Pace | None:
        """Record *status*, the newest one, and return the current pace; None if there is no run."""
        if status.run is None:
            return None
        if self._seen and _phase(self._seen[-1]) != _phase(status):
            self._seen.clear()
        self._seen.append(status)
        while len(self._seen) > 2 and _is_old(self._seen[1], status):
            self._seen.popleft()
        return self._pace(status.run, status.time, status.pace)

    def _pace(self, run: "RunRow", now: datetime, limit: float | None) -> Pace:
        state = run.state(is_alive=self._is_alive())
        elapsed = run.seconds(state, now)
        average = {name: getattr(run, name) / elapsed if elapsed else 0.0 for name in COUNTERS}
        if state != "running":
            return Pace(state, elapsed, average, None)
        if (rates := self._recent_rates()) is not None:
            # Without a limit of the rate, details come with the list pages.
            rate = rates["pages_read"] + rates["details_read"]
        else:
            # Each page and each movie takes a request; the counter of a phase that began late is
            # not enough.
            rates, rate = average, average["requests"]
        return Pace(state, elapsed, rates, seconds_left(left_of(asdict(run)), rate, limit))

    def _is_alive(self) -> bool:
        if self._seen[-1].is_fetch_running:
            return True
        # After a restart of the server, a run can continue without its lock; then its heartbeat
        # changes.
        beats = {
            status.run and status.run.heartbeat_at
            for status in self._seen
            if not status.is_fetch_running
        }
        return len(beats) > 1

    def _recent_rates(self) -> Rates | None:
        first, last = self._seen[0], self._seen[-1]
        span = (last.time - first.time).total_seconds()
        if span < TRUSTED_SECONDS:
            return None
        return {
            name: (getattr(last.run, name) - getattr(first.run, name)) / span for name in COUNTERS
        }


class Countdown:
    """Estimates how long a run or command still takes, at the rate of the last minute."""

    def __init__(self) -> None:
        """Begin without records."""
        self._phase = ""
        self._seen: deque[tuple[float, int]] = deque()

    def record(
        self, phase: str, done: int, left: int | None, now: float, limit: float | None = None
    ) -> float | None:
        """
        Record that *done* items of *phase* are done; return the seconds until *left* more are done.

        *now* is in seconds, *limit* is the maximum number of items a second. Return None while too
        little of the phase was seen.
        """
        if phase != self._phase:
            self._phase = phase
            self._seen.clear()
        self._seen.append((now, done))
        while len(self._seen) > 2 and now - self._seen[1][0] >= WINDOW_SECONDS:
            self._seen.popleft()
        time, before = self._seen[0]
        rate = (done - before) / (now - time) if now - time >= TRUSTED_SECONDS else None
        return seconds_left(left, rate, limit)


class RateHistory:
    """The requests a second of the last minutes, as far as they were seen."""

    def __init__(self) -> None:
        """Begin without records."""
        self._seen: deque[tuple[float, int]] = deque()
        self._run_id: int | None = None

    def record(self, status: "Status") -> list[float]:
        """Record *status*; return the rates for periods of `SECONDS_PER_RATE`, the newest last."""
        run = status.run
        run_id = None if run is None else run.id
        if run_id != self._run_id:
            self._run_id = run_id
            self._seen.clear()
        if run is None:
            return []
        now = status.time.timestamp()
        self._seen.append((now, run.requests))
        while self._seen[0][0] < now - RATES_SHOWN * SECONDS_PER_RATE:
            self._seen.popleft()
        return self._rates(now)

    def _rates(self, now: float) -> list[float]:
        first = self._seen[0][0]
        count = min(RATES_SHOWN, int((now - first) / SECONDS_PER_RATE))
        ends = [now - SECONDS_PER_RATE * number for number in range(count, -1, -1)]
        marks = [self._requests_at(end) for end in ends]
        return [(after - before) / SECONDS_PER_RATE for before, after in pairwise(marks)]

    def _requests_at(self, time: float) -> float:
        """Return the number of requests at a time, interpolated between two statuses."""
        for (t0, before), (t1, after) in pairwise(self._seen):
            if t0 <= time <= t1 and t1 > t0:
                return before + (after - before) * (time - t0) / (t1 - t0)
        return self._seen[-1][1]


def sparkline(rates: Sequence[float]) -> str:
    """Return *rates* as a row of bars, the highest of them being full."""
    most = max(rates, default=0)
    return "".join(_BARS[round(rate / most * (len(_BARS) - 1)) if most else 0] for rate in rates)


def left_of(run: Mapping[str, Any]) -> int | None:
    """
    Return how many pages and movies the whole run still has to request; None if unknown.

    While pages are read, the number of new movies is an estimate. Failed pages are not requested
    again once details are.
    """
    phases = {"pages": ("pages", "details"), "details": ("details",)}.get(run["phase"], ())
    if not phases or not run[f"{run['phase']}_expected"]:
        return None
    return sum(max(0, int(run[f"{phase}_expected"] - run[f"{phase}_read"])) for phase in phases)


def seconds_left(left: int | None, rate: float | None, limit: float | None) -> float | None:
    """Return how long *left* requests take at *rate* a second, or at *limit* if that is slower."""
    if left is None or not rate:
        return None
    return left / min(rate, limit or rate)


def _phase(status: "Status") -> tuple[int, str] | None:
    return None if status.run is None else (status.run.id, status.run.phase)


def _is_old(status: "Status", newest: "Status") -> bool:
    return (newest.time - status.time).total_seconds() >= WINDOW_SECONDS
