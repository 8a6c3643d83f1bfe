"""`read_health_page`: whether the mirror is kept current, its last runs, and what failed."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from markupsafe import Markup

from database.bookkeeping.failures import TitledFailure
from database.bookkeeping.rows import RunRow
from database.monitoring.health import read_health
from web.display.charts import meter
from web.display.health_words import Total, advice_in_words, state_in_words, totals
from web.display.run_table import run_table
from web.display.wording import age_in_words, duration, failure_reason, phases, utc_time
from web.pages.queries import HealthQuery
from web.v1.route import Source

#: Listed runs, and failures.
RUNS, FAILURES = 30, 30
#: The script reads the page again after this time while a fetch is running, and otherwise.
RUNNING_SECONDS, IDLE_SECONDS = 5, 60


@dataclass(frozen=True, slots=True)
class Failure:
    """A page or movie that failed, in words."""

    kind: str
    key: str
    #: None if the movie is not stored.
    title: str | None
    #: At which stage it failed, how often, and when it is tried again.
    attempts: str
    reason: str


@dataclass(frozen=True, slots=True)
class HealthView:
    """The page."""

    #: In UTC, by the clock of the database.
    time: datetime
    state: str
    #: One sentence.
    sentence: str
    #: When the mirror was last complete; empty if the sentence says it, or during the first fetch.
    age: str
    #: What to do; else empty.
    advice: str
    #: Name, text and bar of each phase of the fetch that is running.
    progress: list[tuple[str, str, Markup]]
    totals: list[Total]
    #: Empty before the first run.
    runs: Markup
    failures: list[Failure]
    all_failures: int
    refresh_seconds: int


def read_health_page(source: Source, query: HealthQuery) -> HealthView:
    """Return the page, as of now."""
    max_age = timedelta(hours=query.max_age_hours)
    health = read_health(source.session, max_age, max_runs=RUNS, max_failures=FAILURES)
    now, is_running = health.freshness.time, health.state == "running"
    is_first = is_running and health.freshness.completed_at is None
    says_age = health.state in {"fresh", "stale", "empty"} or is_first
    return HealthView(
        time=now.astimezone(UTC),
        state=health.state,
        sentence=state_in_words(health),
        age="" if says_age else age_in_words(health.freshness, max_age),
        advice=advice_in_words(health),
        progress=_progress(health.runs[0].run) if is_running else [],
        totals=totals(health.stats, health.sync),
        runs=run_table(health.runs) if health.runs else Markup(),
        failures=[_failure(titled, now) for titled in health.failures],
        all_failures=health.stats.total_failures,
        refresh_seconds=RUNNING_SECONDS if is_running else IDLE_SECONDS,
    )


def _progress(run: RunRow) -> list[tuple[str, str, Markup]]:
    return [
        (phase, f"{read:,} of {expected:,}", meter(read, expected))
        for phase, read, expected in phases(run)
    ]


def _failure(titled: TitledFailure, now: datetime) -> Failure:
    failure = titled.failure
    times = "once" if failure.attempts == 1 else f"{failure.attempts:,} times"
    left = duration((failure.next_attempt_at - now).total_seconds())
    again = (
        "the next fetch tries again"
        if failure.is_due(now)
        else f"tried again in {left}, at {utc_time(failure.next_attempt_at)} UTC"
    )
    return Failure(
        kind=failure.kind,
        key=failure.key,
        title=titled.title,
        attempts=f"{failure.stage} failed {times}; {again}",
        reason=failure_reason(failure),
    )
