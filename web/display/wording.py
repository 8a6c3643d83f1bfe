"""`duration`, `utc_time`, `counts_in_words` ...: values as a person says them (pure)."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from yts.printable import one_line

if TYPE_CHECKING:
    from database.bookkeeping.rows import FailureRow, RunRow
    from database.monitoring.history import Freshness, PastRun

#: Outcomes of movies in a run, and how they are shown.
OUTCOMES = {
    "saved": "new",
    "updated": "updated",
    "unchanged": "unchanged",
    "skipped": "skipped",
    "missing": "missing",
    "failed": "failed",
}
#: How a run ended, by its exit code.
RUN_ENDS: Mapping[int | None, str] = {
    0: "was complete",
    1: "ended early with an error",
    2: "was refused: base URL or database was not the right one",
    3: "finished, but some failed",
    4: "ended early: YTS was unavailable",
    5: "ended early: the database was not ready",
    6: "ended early: too many movies had vanished at once",
    7: "reached its own limit, and work is left",
    11: "ended early: another fetch had taken over",
    129: "was interrupted",
    130: "was interrupted",
    143: "was interrupted",
}
#: Phases of a run that is under way.
PHASES = {"starting": "starting", "pages": "reading the list", "details": "fetching details"}


def duration(seconds: float) -> str:
    """Return *seconds* as a person says them: 42 s, 3 min 5 s, 2 h 10 min."""
    if seconds < 60:
        return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def utc_time(time: datetime) -> str:
    """Return *time* in UTC, to the minute."""
    return time.astimezone(UTC).strftime("%Y-%m-%d %H:%M")


def counts_in_words(counts: Mapping[str, Any]) -> str:
    """Return the outcomes of a run so far, without those that are 0."""
    return ", ".join(
        f"{word} {counts[name]:,}" for name, word in OUTCOMES.items() if counts.get(name)
    )


def percent(movies: int, total: int) -> float | None:
    """Return the share of *movies* in *total*, rounded down, so that 100 means all; None of 0."""
    return float(1000 * movies // total) / 10 if total else None


def age_in_words(freshness: "Freshness", max_age: timedelta) -> str:
    """Return whether the mirror is older than *max_age*, and when it was last complete."""
    if freshness.age is None or freshness.completed_at is None:
        return "Stale: no run was ever complete."
    age, time = duration(freshness.age.total_seconds()), utc_time(freshness.completed_at)
    ended = f"the last complete run ended {age} ago, at {time} UTC"
    if freshness.is_within(max_age):
        return f"Fresh: {ended}."
    return f"Stale: {ended}, more than {duration(max_age.total_seconds())}."


def phases(run: "RunRow") -> list[tuple[str, int, int]]:
    """Return the phases that have begun, each with the numbers read and expected."""
    counters = [
        ("pages", run.pages_read, run.pages_expected),
        ("details", run.details_read, run.details_expected),
    ]
    # The expected number is an estimate.
    return [(phase, read, max(read, expected)) for phase, read, expected in counters if expected]


def end_in_words(past: "PastRun") -> str:
    """Return how a run ended, in a few words, or that it is running."""
    code = past.run.exit_code
    if past.state != "ended" or code is None:
        return past.state
    return run_end(code).removeprefix("was ")


def failure_reason(failure: "FailureRow") -> str:
    """Return in one line why a page or movie failed."""
    return one_line(failure.message) or failure.error_class


def run_end(exit_code: int | None) -> str:
    """Return how a run ended that has this exit code, after "the run"."""
    return RUN_ENDS.get(exit_code, f"ended with exit code {exit_code}")
