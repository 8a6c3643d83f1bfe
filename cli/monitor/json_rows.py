"""`status_line` and `*_object`: the JSON of the monitor, with times in ISO 8601."""

from dataclasses import asdict
from datetime import datetime, timedelta
from typing import Any

from cli.display.progress_rate import Pace
from database.bookkeeping.failures import TitledFailure
from database.bookkeeping.rows import RunRow
from database.monitoring.history import Freshness, PastRun
from database.monitoring.status import Status
from web.display.wording import percent
from yts.printable import json_line

JsonObject = dict[str, Any]


def status_line(status: Status, pace: Pace | None) -> str:
    """Return the status as one line of JSON, without control characters."""
    run = None
    if status.run is not None and pace is not None:
        run = _run_object(status.run)
        run |= {"state": pace.state, "elapsed_seconds": pace.elapsed_seconds}
    return json_line(
        {
            "message_type": "status",
            "time": status.time.isoformat(),
            "is_empty": status.is_empty,
            "source": status.source,
            "stats": _as_json(status.stats),
            "details_percent": percent(status.stats.movies_with_details, status.stats.total_movies),
            "vectors_percent": percent(status.stats.movies_with_vectors, status.stats.total_movies),
            "sync": {} if status.sync is None else _as_json(status.sync),
            "run": run,
            "rates": _rates_object(pace),
            "eta_seconds": pace.eta_seconds if pace else None,
            "pace": status.pace,
            "workers": [_as_json(worker) for worker in status.workers],
            "last_errors": [_as_json(failure) for failure in status.last_errors],
            "last_stored_movies": [_as_json(movie) for movie in status.last_stored_movies],
            "top_genres": [_as_json(genre) for genre in status.top_genres],
        }
    )


def waiting_line(time: datetime, reason: str) -> str:
    """Return one line of JSON with the reason why the status cannot be read."""
    return json_line({"message_type": "waiting", "time": time.isoformat(), "reason": reason})


def failure_line(titled: TitledFailure, now: datetime) -> str:
    """Return a failure on record as one line of JSON."""
    failure, title = titled
    message = {"message_type": "failure", **_as_json(failure), "title": title}
    return json_line({**message, "is_due": failure.is_due(now)})


def past_run_object(past: PastRun) -> JsonObject:
    """Return a run of the history, its state and how long it took."""
    return {**_run_object(past.run), "state": past.state, "seconds": past.seconds}


def freshness_object(freshness: Freshness, max_age: timedelta, *, is_fresh: bool) -> JsonObject:
    """Return how old the mirror is and whether that is within *max_age*."""
    age = freshness.age
    return {
        "time": freshness.time.isoformat(),
        "completed_at": freshness.completed_at and freshness.completed_at.isoformat(),
        "age_seconds": age and age.total_seconds(),
        "max_age_seconds": max_age.total_seconds(),
        "is_fresh": is_fresh,
    }


def _run_object(run: RunRow) -> JsonObject:
    return {"run_id" if name == "id" else name: value for name, value in _as_json(run).items()}


def _rates_object(pace: Pace | None) -> JsonObject:
    return {f"{name}_per_second": rate for name, rate in pace.rates.items()} if pace else {}


def _as_json(value: Any) -> JsonObject:
    """Return the fields of a dataclass, with times as ISO text."""
    return {
        name: field.isoformat() if isinstance(field, datetime) else field
        for name, field in asdict(value).items()
    }
