"""`as_text`: a status as a block of text; and its parts, which the live view shows, too."""

from datetime import datetime

from cli.display.progress_rate import Pace
from cli.display.text import aligned, duration, one_line
from database.bookkeeping.rows import RunRow
from database.monitoring.status import Status
from database.stats import Stats, StoredMovie
from web.display.wording import PHASES, RUN_ENDS, counts_in_words, failure_reason, percent, phases

EMPTY = "empty: no fetch has run yet. Start one with: python fetch_yts_data.py"
WAITING = "waiting for the database"

#: Requests a second: a higher rate counts as unlimited, see `ingest.worker.budget`.
HIGHEST_PACE = 1e5


def local_time(time: datetime | str) -> str:
    """Return *time*, also if it is ISO text, in the time zone of this machine, to the second."""
    if isinstance(time, str):  # From `get_stats`.
        time = datetime.fromisoformat(time)
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def with_source(database: str, status: Status) -> str:
    """Return *database*, with a warning if its movies are practice data."""
    return f"{database}, practice data" if status.source == "sandbox" else database


def catalogue_rows(status: Status) -> list[tuple[str, str]]:
    """Return the totals of the catalogue, each with its name."""
    stats, expected = status.stats, status.sync and status.sync.movie_count
    rows = [
        ("movies", f"{stats.total_movies:,}" + (f" of about {expected:,}" if expected else "")),
        ("with details", _covered(stats, stats.movies_with_details)),
        ("with vectors", _covered(stats, stats.movies_with_vectors)),
        ("genres", f"{stats.total_genres:,}"),
        ("cast", f"{stats.total_cast:,}"),
        ("torrents", f"{stats.total_torrents:,}"),
        ("average rating", str(stats.average_rating or "unknown")),
        ("failures", f"{stats.total_failures:,}"),
        ("missing at YTS", f"{stats.total_missing:,}"),
    ]
    if stats.total_gone:
        rows.append(("gone from YTS", f"{stats.total_gone:,}"))
    return rows


def _covered(stats: Stats, movies: int) -> str:
    share = percent(movies, stats.total_movies)
    return f"{movies:,}" + ("" if share is None else f" ({share:.1f} %)")


def headline(run: RunRow, pace: Pace) -> str:
    """Return the state of the run as one line."""
    seconds = duration(pace.elapsed_seconds)
    if pace.state == "running":
        return f"Fetch running for {seconds}: {PHASES.get(run.phase, run.phase)}"
    if pace.state == "killed" or run.finished_at is None:
        return f"Last fetch was killed; its last heartbeat was at {local_time(run.heartbeat_at)}"
    end = RUN_ENDS.get(run.exit_code, f"ended with exit code {run.exit_code}")
    return f"Last fetch {end}; {seconds}, until {local_time(run.finished_at)}"


def run_rows(status: Status, run: RunRow, pace: Pace) -> list[tuple[str, str]]:
    """Return the counters of the run, each with its name."""
    rows = [(phase, f"{read:,} of {expected:,}") for phase, read, expected in phases(run)]
    rows.append(("movies", counts_in_words(run.counts)))
    rows.append(("requests", f"{run.requests:,} ({rate_in_words(status, pace)})"))
    if pace.state == "running":
        rows.append(("ETA", eta_in_words(pace)))
    return rows


def rate_in_words(status: Status, pace: Pace) -> str:
    """Return the rate of requests, and its limit."""
    rate = f"{pace.rates['requests']:.1f} a second"
    # Without a limit, a run has no pace, or one that is never reached.
    is_limited = pace.state == "running" and status.pace and status.pace < HIGHEST_PACE
    return f"{rate} of {status.pace:.1f}" if is_limited else rate


def error_rows(status: Status) -> list[tuple[str, str]]:
    """Return the newest failures, each with its reason."""
    return [
        (f"{failure.kind} {failure.key}", failure_reason(failure)) for failure in status.last_errors
    ]


def worker_rows(status: Status) -> list[tuple[str, str]]:
    """Return the name and the activity of each worker."""
    return [
        (worker.name.removeprefix("yts-mirror "), f"{worker.doing}, for {duration(worker.seconds)}")
        for worker in status.workers
    ]


def eta_in_words(pace: Pace) -> str:
    """Return the remaining time of the run."""
    return "unknown" if pace.eta_seconds is None else f"about {duration(pace.eta_seconds)}"


def movie_row(movie: StoredMovie) -> tuple[str, str]:
    """Return rating and title of a movie."""
    year = "" if movie.year is None else f" ({movie.year})"
    rating = "-" if movie.rating is None else f"{movie.rating:.1f}"
    return rating, one_line(movie.title) + year


def as_text(status: Status, pace: Pace | None, database: str) -> str:
    """Return the status of *database* as a block of lines."""
    head = f"{local_time(status.time)}  {with_source(one_line(database), status)}"
    if status.is_empty:
        return f"{head}\n{EMPTY}"
    parts = [head, aligned(catalogue_rows(status))]
    if status.run is not None and pace is not None:
        parts += [headline(status.run, pace), aligned(run_rows(status, status.run, pace))]
        if pace.state == "running" and status.workers:
            parts += ["Workers", aligned(worker_rows(status))]
    if status.last_errors:
        parts += ["Last errors", aligned(error_rows(status))]
    if status.last_stored_movies:
        parts += ["Last stored", aligned(map(movie_row, status.last_stored_movies))]
    if status.top_genres:
        genres = [(one_line(genre.name), f"{genre.movies:,}") for genre in status.top_genres]
        parts += ["Top genres", aligned(genres)]
    return "\n".join(parts)
