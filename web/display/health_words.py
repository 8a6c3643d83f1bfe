"""`state_in_words`, `advice_in_words`, `totals`: the health of the mirror in words (pure)."""

from typing import TYPE_CHECKING, NamedTuple

from web.display.wording import PHASES, age_in_words, duration, percent, run_end

if TYPE_CHECKING:
    from database.bookkeeping.rows import SyncStateRow
    from database.monitoring.health import Health
    from database.stats import Stats


class Total(NamedTuple):
    """A number of the mirror with its name, and a remark."""

    name: str
    number: str
    remark: str = ""


def state_in_words(health: "Health") -> str:
    """Return the state of the mirror as one sentence."""
    match health.state:
        case "empty":
            return "Empty: no fetch has run yet."
        case "running":
            past = health.runs[0]
            phase = PHASES.get(past.run.phase, past.run.phase)
            return f"Running: a fetch has been at work for {duration(past.seconds)}, {phase}."
        case "failing":
            past = health.runs[0]
            ended = past.run.finished_at or past.run.heartbeat_at
            ago = duration((health.freshness.time - ended).total_seconds())
            how = "was killed" if past.state == "killed" else run_end(past.run.exit_code)
            return f"Failing: the last fetch {how}, {ago} ago."
        case _:
            return age_in_words(health.freshness, health.max_age)


def advice_in_words(health: "Health") -> str:
    """Return what the operator can do about the state of the mirror; empty if nothing."""
    is_practice = health.sync is not None and health.sync.is_practice
    fetch = "python fetch_yts_data.py" + (" --sandbox" if is_practice else "")
    match health.state:
        case "empty":
            return f"Start one with: {fetch}"
        case "failing":
            return f"The next fetch continues where this one ended: {fetch}"
        case "stale":
            return f"See whether fetches are still started every day, or run: {fetch}"
        case _:
            return ""


def totals(stats: "Stats", sync: "SyncStateRow | None") -> list[Total]:
    """Return the totals of the mirror; *sync* has the number of movies at YTS."""
    expected = None if sync is None else sync.movie_count
    details, vectors = (
        "" if share is None else f"{share:.1f} % of all"
        for share in (
            percent(stats.movies_with_details, stats.total_movies),
            percent(stats.movies_with_vectors, stats.total_movies),
        )
    )
    numbers = [
        Total("movies", f"{stats.total_movies:,}", f"of about {expected:,}" if expected else ""),
        Total("with details", f"{stats.movies_with_details:,}", details),
        Total("with vectors", f"{stats.movies_with_vectors:,}", vectors),
        Total("torrents", f"{stats.total_torrents:,}", "metadata only"),
        Total("people", f"{stats.total_cast:,}"),
        Total("average rating", str(stats.average_rating or "unknown")),
        Total("failures", f"{stats.total_failures:,}", "on record, tried again"),
        Total("missing", f"{stats.total_missing:,}", "not at YTS"),
    ]
    if stats.total_gone:
        numbers.append(Total("gone", f"{stats.total_gone:,}", "no longer at YTS"))
    return numbers
