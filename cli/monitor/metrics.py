"""`write_metrics`: the status as a file for the textfile collector of Prometheus' node exporter."""

from collections.abc import Iterator
from pathlib import Path

from prometheus_client import CollectorRegistry, Gauge, generate_latest

from cli.output import open_output
from database.monitoring.history import Freshness
from database.monitoring.status import Status

#: Metric: the field of `Stats` that it shows, and its description.
_TOTALS = {
    "yts_movies": ("total_movies", "Movies in the mirror."),
    "yts_movies_with_details": ("movies_with_details", "Movies whose details were fetched."),
    "yts_movies_with_vectors": ("movies_with_vectors", "Movies that can be found by meaning."),
    "yts_movies_gone": ("total_gone", "Movies in the mirror that YTS no longer has."),
    "yts_ids_missing": ("total_missing", "Ids that YTS says it does not have."),
    "yts_torrents": ("total_torrents", "Torrents whose metadata is stored."),
    "yts_people": ("total_cast", "People who play in movies of the mirror."),
    "yts_failures": ("total_failures", "Pages and movies that failed and did not succeed since."),
}

Metric = tuple[str, str, float]


def write_metrics(status: Status, freshness: Freshness, path: Path) -> None:
    """
    Write the metrics to *path*, see `open_output`: a reader never sees half of a file.

    Unknown values, such as the exit code of a running fetch, are left out.

    Raises:
        OSError: the file cannot be written.
    """
    registry = CollectorRegistry()
    for name, description, value in (*_of_mirror(status, freshness), *_of_run(status)):
        Gauge(name, description, registry=registry).set(value)
    if status.run is not None:
        movies = Gauge(
            "yts_run_movies", "Movies of the last run by outcome.", ["outcome"], registry=registry
        )
        for outcome, count in status.run.counts.items():
            movies.labels(outcome).set(count)
    with open_output(path) as file:
        file.write(generate_latest(registry))


def _of_mirror(status: Status, freshness: Freshness) -> Iterator[Metric]:
    for name, (total, description) in _TOTALS.items():
        yield name, description, getattr(status.stats, total)
    if expected := status.sync and status.sync.movie_count:
        yield "yts_movies_at_source", "Movies at YTS, as last reported by YTS.", expected
    if freshness.completed_at is not None:
        description = "When the last complete run ended, in seconds since 1970."
        yield "yts_complete_timestamp_seconds", description, freshness.completed_at.timestamp()


def _of_run(status: Status) -> Iterator[Metric]:
    yield "yts_fetch_running", "1 while a fetch is running.", status.is_fetch_running
    if (run := status.run) is None:
        return
    began = run.started_at.timestamp()
    yield "yts_run_start_timestamp_seconds", "When the last run began.", began
    yield "yts_run_requests", "Requests that the last run has made.", run.requests
    if run.finished_at is not None:
        ended = run.finished_at.timestamp()
        yield "yts_run_seconds", "How long the last run took.", ended - began
    if run.exit_code is not None:
        yield "yts_run_exit_code", "The exit code of the last run.", run.exit_code
