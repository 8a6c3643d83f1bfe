"""`ProgressMeter`, `RateHistory`: rates and remaining time of a run, without a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from cli.display.events import EventStream, Message, Sink, in_words
from cli.display.progress_rate import Pace, ProgressMeter, RateHistory, sparkline
from database.bookkeeping.models import OUTCOMES
from database.bookkeeping.rows import RunRow
from database.monitoring.status import Status
from database.stats import Stats

START = datetime(2026, 1, 1, tzinfo=UTC)
RUN = RunRow(
    id=1,
    command="fetch",
    api_url=None,
    phase="details",
    started_at=START,
    heartbeat_at=START,
    finished_at=None,
    exit_code=None,
    requests=0,
    pages_expected=20,
    pages_read=20,
    details_expected=1000,
    details_read=0,
    **dict.fromkeys(("planned", *OUTCOMES), 0),
    is_complete=False,
)


def seen(
    seconds: float, *, is_locked: bool = True, pace: float | None = None, **values: Any
) -> Status:
    """Return the status *seconds* after the start of a run of 1,000 details."""
    time = START + timedelta(seconds=seconds)
    run = replace(RUN, **values)
    return Status(time, Stats(), None, run, is_locked, pace, [], [], [], [])


def pace_of(*statuses: Status) -> Pace:
    """Return the pace after all of *statuses*."""
    meter = ProgressMeter()
    paces = [meter.record(status) for status in statuses]
    assert paces[-1] is not None
    return paces[-1]


def test_the_rate_is_that_of_the_last_minute() -> None:
    """
    Earlier minutes do not matter, nor does the number of looks.
    """
    slow = [seen(minute * 60, details_read=minute) for minute in range(60)]
    fast = [seen(3600 + second, details_read=60 + 2 * second) for second in range(0, 90, 3)]

    pace = pace_of(*slow, *fast)

    assert pace.rates["details_read"] == pytest.approx(2, rel=0.05)
    assert pace.eta_seconds == pytest.approx((1000 - 60 - 174) / 2, rel=0.05)


def test_the_first_look_uses_the_average_of_the_run() -> None:
    """
    Each movie takes one request, so the requests of earlier phases count as well.
    """
    pace = pace_of(seen(100, requests=300, details_read=100))

    assert pace.rates["requests"] == 3
    assert pace.eta_seconds == 900 / 3


def test_a_new_phase_starts_a_new_measurement() -> None:
    """
    The rate of reading the list does not apply to details.
    """
    listing = [seen(t, phase="pages", requests=t) for t in range(0, 50, 5)]
    details = [seen(50 + t, requests=50 + t, details_read=t) for t in range(0, 11, 5)]

    assert pace_of(*listing, *details).rates["details_read"] == 1


@pytest.mark.parametrize("phase", ["starting", "pages", "details"])
def test_without_progress_the_end_is_unknown(phase: str) -> None:
    """
    A run without progress, or of unknown size, has no remaining time.
    """
    assert pace_of(seen(0, phase=phase), seen(10, phase=phase)).eta_seconds is None


@pytest.mark.parametrize(("pace", "rate"), [(None, 2), (0.5, 0.5), (40, 2)])
def test_the_remaining_time_is_that_of_the_whole_run(pace: float | None, rate: float) -> None:
    """
    While pages are read, the later details count; the rate is the measured one or the limit.
    """
    pages = {"phase": "pages", "pages_expected": 120, "pace": pace}

    listing = pace_of(*(seen(t, pages_read=2 * t, **pages) for t in range(0, 11, 5)))
    first = pace_of(seen(10, requests=20, pages_read=20, **pages))

    assert listing.eta_seconds == first.eta_seconds == (100 + 1000) / rate


def test_details_that_come_with_list_pages_count() -> None:
    """
    Without a limit of the rate a phase reads both.
    """
    both = {"phase": "pages", "pages_expected": 40}

    pace = pace_of(*(seen(t, pages_read=t, details_read=50 * t, **both) for t in (0, 5, 10)))

    assert pace.eta_seconds == (30 + 500) / 51


class Lines(Sink):
    """Collects progress as text."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def handle(self, message: Message) -> None:
        self.lines.append(in_words(message))


def test_a_fetch_shows_the_remaining_time_of_the_whole_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    There is none in the first seconds of a phase and without progress; vectors have no limit.
    """
    row = {"pages_expected": 120, "details_expected": 1000, "details_read": 0, "saved": 7}
    row |= dict.fromkeys(("updated", "unchanged", "skipped", "missing", "failed"), 0)
    lines = Lines()
    messages = EventStream([lines], rate=4)

    def at(seconds: float, phase: str, pages: int, details: int) -> None:
        monkeypatch.setattr("cli.display.events.monotonic", lambda: seconds)
        messages.progress({**row, "phase": phase, "pages_read": pages, "details_read": details})

    at(0, "pages", 0, 0)
    at(4, "pages", 8, 0)
    at(10, "pages", 20, 0)
    at(60, "details", 120, 0)
    at(70, "details", 120, 400)
    at(80, "details", 120, 0)
    for seconds in (90, 100):
        monkeypatch.setattr("cli.display.events.monotonic", lambda it=seconds: it)
        messages.phase("vectors", seconds, 300)

    assert lines.lines == [
        "pages 0 of 120: new 7",
        "pages 8 of 120: new 7",
        "pages 20 of 120: new 7; about 9 min 10 s left",
        "pages 120 of 120: new 7",
        "details 0 of 1,000: new 7",
        "details 400 of 1,000: new 7; about 2 min 30 s left",
        "details 0 of 1,000: new 7",
        "vectors 90 of 300",
        "vectors 100 of 300; about 3 min 20 s left",
    ]


def test_more_than_expected_leaves_no_remaining_time() -> None:
    """
    The expected number is an estimate; the remaining time is never negative.
    """
    assert pace_of(seen(10, details_read=1001, requests=10)).eta_seconds == 0


def test_a_run_without_its_lock_is_running_while_heartbeats_come() -> None:
    """
    A restart of the server releases the lock of a run that continues.
    """
    beats = [START + timedelta(seconds=t) for t in (10, 12, 14)]
    locked = seen(10, heartbeat_at=beats[0])
    unlocked = [seen(t, is_locked=False, heartbeat_at=beats[1]) for t in (12, 13)]
    beating = seen(14, is_locked=False, heartbeat_at=beats[2])

    assert pace_of(locked).state == "running"
    assert pace_of(locked, *unlocked).state == "killed"
    assert pace_of(locked, *unlocked).elapsed_seconds == 12
    assert pace_of(locked, *unlocked, beating).state == "running"


def test_a_clock_that_jumps_back_gives_no_negative_values() -> None:
    """
    The database may move to a machine with another clock.
    """
    pace = pace_of(seen(10, requests=5), seen(-10, requests=9))

    assert pace.elapsed_seconds == 0
    assert pace.eta_seconds is None
    assert min(pace.rates.values()) >= 0


def test_the_history_has_the_rates_of_the_last_minutes() -> None:
    """
    A minute has 2 requests a second, the next one 4; a new run has no history.
    """
    history = RateHistory()
    for second in (*range(0, 60, 7), *range(60, 121, 3)):
        requests = 2 * min(second, 60) + 4 * max(0, second - 60)
        rates = history.record(seen(second, requests=requests))

    assert rates == pytest.approx([2] * 6 + [4] * 6, abs=0.3)
    assert history.record(seen(130, id=2)) == []
    assert (sparkline([1, 7, 0]), sparkline([0, 0])) == ("▂█▁", "▁▁")
