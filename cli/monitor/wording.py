"""What the monitor shows of a status: as words, as blocks of text, as JSON lines."""

from datetime import datetime
from typing import Any

from cli.events import counts_in_words
from cli.monitor.failure_table import reason_of
from cli.progress_rate import Pace
from cli.text import aligned, duration, one_line
from database.monitoring.status import Status
from yts.printable import json_line

EMPTY = "empty: no fetch has run yet. Start one with: python fetch_yts_data.py"
WAITING = "waiting for the database"

_PHASES = {"starting": "starting", "pages": "reading the list", "details": "fetching details"}
_ENDS = {
    0: "was complete",
    1: "broke off with an error",
    2: "was refused: base URL or database was not the right one",
    3: "finished, but some failed",
    4: "ended early: YTS was unavailable",
    5: "broke off: the database was not ready",
    6: "ended early: too many movies had vanished at once",
    7: "reached its own limit, and work is left",
    130: "was interrupted",
    143: "was interrupted",
}

#: Requests a second: more are no limit, see `ingest.worker.budget`.
HIGHEST_PACE = 1e5

Row = dict[str, Any]


def local_time(time: datetime | str) -> str:
    """Return *time* on the clock of this machine, to the second."""
    if isinstance(time, str):
        time = datetime.fromisoformat(time)
    return time.astimezone().strftime("%Y-%m-%d %H:%M:%S %Z")


def percent(stats: Row, name: str) -> float | None:
    """Return how many of a hundred movies count in *name*, rounded down: 100 means all."""
    if not stats["total_movies"]:
        return None
    return float(1000 * stats[name] // stats["total_movies"]) / 10


def with_source(place: str, status: Status) -> str:
    """Return *place*, with a warning where its movies are no real ones."""
    return f"{place}, practice data" if status.sync.get("source") == "sandbox" else place


def catalogue_rows(status: Status) -> list[tuple[str, str]]:
    """Return the totals of the catalogue, each with its name."""
    stats, expected = status.stats, status.sync.get("movie_count")
    rows = [
        ("movies", f"{stats['total_movies']:,}" + (f" of about {expected:,}" if expected else "")),
        ("with details", _covered(stats, "movies_with_details")),
        ("with vectors", _covered(stats, "movies_with_vectors")),
        ("genres", f"{stats['total_genres']:,}"),
        ("cast", f"{stats['total_cast']:,}"),
        ("torrents", f"{stats['total_torrents']:,}"),
        ("average rating", str(stats["average_rating"] or "unknown")),
        ("failures", f"{stats['total_failures']:,}"),
        ("missing at YTS", f"{stats['total_missing']:,}"),
    ]
    if gone := stats["total_gone"]:
        rows.append(("gone from YTS", f"{gone:,}"))
    return rows


def _covered(stats: Row, name: str) -> str:
    share = percent(stats, name)
    return f"{stats[name]:,}" + ("" if share is None else f" ({share:.1f} %)")


def headline(run: Row, pace: Pace) -> str:
    """Return in a sentence how the run stands."""
    seconds = duration(pace.elapsed_seconds)
    if pace.state == "running":
        return f"Fetch running for {seconds}: {_PHASES.get(run['phase'], run['phase'])}"
    if pace.state == "vanished":
        seen = local_time(run["heartbeat_at"])
        return f"Last fetch ended without saying so (killed?); last seen {seen}"
    end = _ENDS.get(run["exit_code"], f"ended with exit code {run['exit_code']}")
    return f"Last fetch {end}; {seconds}, until {local_time(run['finished_at'])}"


def phases(run: Row) -> list[tuple[str, int, int]]:
    """Return the phases that have begun, each with how much is read and how much there is."""
    return [
        # What was expected is an estimate.
        (phase, read := run[f"{phase}_read"], max(read, expected))
        for phase in ("pages", "details")
        if (expected := run[f"{phase}_expected"])
    ]


def run_rows(status: Status, run: Row, pace: Pace) -> list[tuple[str, str]]:
    """Return the counters of the run, each with its name."""
    rows = [(phase, f"{read:,} of {expected:,}") for phase, read, expected in phases(run)]
    rows.append(("movies", counts_in_words(run)))
    rows.append(("requests", f"{run['requests']:,} ({rate_in_words(status, pace)})"))
    if pace.state == "running":
        rows.append(("ETA", eta_in_words(pace)))
    return rows


def rate_in_words(status: Status, pace: Pace) -> str:
    """Return how fast requests are made, and how fast they may be."""
    rate = f"{pace.rates['requests']:.1f} a second"
    # A run without a limit has none, or one that nobody reaches.
    is_limited = pace.state == "running" and status.pace and status.pace < HIGHEST_PACE
    return f"{rate} of {status.pace:.1f}" if is_limited else rate


def error_rows(status: Status) -> list[tuple[str, str]]:
    """Return what failed last, each with its reason."""
    return [(f"{it['kind']} {it['key']}", reason_of(it)) for it in status.last_errors]


def worker_rows(status: Status) -> list[tuple[str, str]]:
    """Return what each worker is at."""
    return [
        (it["name"].removeprefix("yts-mirror "), f"{it['doing']}, for {duration(it['seconds'])}")
        for it in status.workers
    ]


def eta_in_words(pace: Pace) -> str:
    """Return the remaining time of the run."""
    return "unknown" if pace.eta_seconds is None else f"about {duration(pace.eta_seconds)}"


def movie_row(movie: Row) -> tuple[str, str]:
    """Return rating and title of a movie."""
    year = "" if movie["year"] is None else f" ({movie['year']})"
    rating = "-" if movie["rating"] is None else f"{movie['rating']:.1f}"
    return rating, one_line(movie["title"]) + year


def as_text(status: Status, pace: Pace | None, place: str) -> str:
    """Return the status as a block of lines."""
    head = f"{local_time(status.time)}  {with_source(one_line(place), status)}"
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
        genres = [(one_line(it["name"]), f"{it['movies']:,}") for it in status.top_genres]
        parts += ["Top genres", aligned(genres)]
    return "\n".join(parts)


def as_json(status: Status, pace: Pace | None) -> str:
    """Return the status as one line of JSON, which holds no control characters."""
    run = None
    if status.run is not None and pace is not None:
        run = {"run_id" if name == "id" else name: it for name, it in status.run.items()}
        run |= {"state": pace.state, "elapsed_seconds": pace.elapsed_seconds}
    message = {
        "message_type": "status",
        "time": status.time.isoformat(),
        "is_empty": status.is_empty,
        "source": status.sync.get("source"),
        "stats": status.stats,
        "details_percent": percent(status.stats, "movies_with_details"),
        "vectors_percent": percent(status.stats, "movies_with_vectors"),
        "sync": status.sync,
        "run": run,
        "rates": {f"{name}_per_second": rate for name, rate in pace.rates.items()} if pace else {},
        "eta_seconds": pace.eta_seconds if pace else None,
        "pace": status.pace,
        "workers": status.workers,
        "last_errors": status.last_errors,
        "last_stored_movies": status.last_stored_movies,
        "top_genres": status.top_genres,
    }
    return json_line(message)
