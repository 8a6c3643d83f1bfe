"""How a run stands: whether it goes on, how fast, how long still; pure."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any, Literal

from database.status import Status

#: Rates are those of the last so many seconds.
WINDOW_SECONDS = 60.0
#: What was seen over less time than this says little: steps come in lumps.
TRUSTED_SECONDS = 5.0

#: So many rates are remembered, each of so many seconds: five minutes.
RATES_SHOWN = 30
SECONDS_PER_RATE = 10.0
_BARS = "▁▂▃▄▅▆▇█"

COUNTERS = ("requests", "pages_read", "details_read")
Rates = dict[str, float]
Row = dict[str, Any]
#: `vanished`: without an end, and without a process that could still bring it to one.
State = Literal["running", "ended", "vanished"]


@dataclass(frozen=True, slots=True)
class Pace:
    """The course of one run as of one moment."""

    state: State
    elapsed_seconds: float
    #: Of each counter, a second: lately, or over the whole run where little was seen of it.
    rates: Rates
    #: To the end of the present phase; None if nobody knows.
    eta_seconds: float | None


class PaceMeter:
    """Remembers what was lately seen of a run in one phase."""

    def __init__(self) -> None:
        """Begin without memory."""
        self._seen: deque[Status] = deque()

    def take(self, status: Status) -> Pace | None:
        """Return the pace as of *status*, the newest; None where there is no run."""
        if status.run is None:
            return None
        if self._seen and _phase(self._seen[-1]) != _phase(status):
            self._seen.clear()
        self._seen.append(status)
        while len(self._seen) > 2 and _seconds(self._seen[1].time, status.time) >= WINDOW_SECONDS:
            self._seen.popleft()
        return self._pace(status.run, status.time)

    def _pace(self, run: Row, now: datetime) -> Pace:
        state = self._state(run)
        end = {"running": now, "ended": run["finished_at"], "vanished": run["heartbeat_at"]}[state]
        elapsed = max(0.0, _seconds(run["started_at"], end))
        average = {name: run[name] / elapsed if elapsed else 0.0 for name in COUNTERS}
        if state != "running":
            return Pace(state, elapsed, average, None)
        if (rates := self._recent_rates()) is not None:
            return Pace(state, elapsed, rates, _eta_seconds(run, rates.get(f"{run['phase']}_read")))
        # Each page and each movie takes a request; its own counter says nothing of a phase
        # that began late.
        return Pace(state, elapsed, average, _eta_seconds(run, average["requests"]))

    def _state(self, run: Row) -> State:
        if run["finished_at"] is not None:
            return "vanished" if run["phase"] == "killed" else "ended"
        if self._seen[-1].is_fetch_running:
            return "running"
        # A restart of the server takes the lock from a run that goes on: its heart still beats.
        beats = {_run(seen)["heartbeat_at"] for seen in self._seen if not seen.is_fetch_running}
        return "running" if len(beats) > 1 else "vanished"

    def _recent_rates(self) -> Rates | None:
        first, last = self._seen[0], self._seen[-1]
        if (span := _seconds(first.time, last.time)) < TRUSTED_SECONDS:
            return None
        return {name: (_run(last)[name] - _run(first)[name]) / span for name in COUNTERS}


class RateHistory:
    """The requests a second of the last minutes, as far as they were seen."""

    def __init__(self) -> None:
        """Begin without memory."""
        self._seen: deque[tuple[float, int]] = deque()
        self._run_id: int | None = None

    def take(self, status: Status) -> list[float]:
        """Return the rates up to *status*, each of `SECONDS_PER_RATE`, the newest last."""
        run = _run(status)
        if run.get("id") != self._run_id:
            self._run_id = run.get("id")
            self._seen.clear()
        if not run:
            return []
        now = status.time.timestamp()
        self._seen.append((now, run["requests"]))
        while self._seen[0][0] < now - RATES_SHOWN * SECONDS_PER_RATE:
            self._seen.popleft()
        return self._rates(now)

    def _rates(self, now: float) -> list[float]:
        first = self._seen[0][0]
        count = min(RATES_SHOWN, int((now - first) / SECONDS_PER_RATE))
        ends = [now - SECONDS_PER_RATE * place for place in range(count, -1, -1)]
        marks = [self._requests_at(end) for end in ends]
        return [(after - before) / SECONDS_PER_RATE for before, after in pairwise(marks)]

    def _requests_at(self, time: float) -> float:
        """Return the requests made by then, between two looks in proportion."""
        for (t0, before), (t1, after) in pairwise(self._seen):
            if t0 <= time <= t1 and t1 > t0:
                return before + (after - before) * (time - t0) / (t1 - t0)
        return self._seen[-1][1]


def sparkline(rates: Sequence[float]) -> str:
    """Return *rates* as a row of bars, the highest of them being full."""
    most = max(rates, default=0)
    return "".join(_BARS[round(rate / most * (len(_BARS) - 1)) if most else 0] for rate in rates)


def _eta_seconds(run: Row, rate: float | None) -> float | None:
    expected = run.get(f"{run['phase']}_expected")
    if not expected or not rate:
        return None
    return float(max(0, expected - run[f"{run['phase']}_read"]) / rate)


def _run(status: Status) -> Row:
    return status.run or {}


def _phase(status: Status) -> tuple[object, object]:
    return _run(status).get("id"), _run(status).get("phase")


def _seconds(start: datetime | str, end: datetime | str) -> float:
    return (_time(end) - _time(start)).total_seconds()


def _time(time: datetime | str) -> datetime:
    return datetime.fromisoformat(time) if isinstance(time, str) else time
