"""`forecast_in_words` and `forecast_facts`: the result of a dry run as text and as JSON fields."""

from typing import Any

from cli.display.text import aligned, duration
from ingest.dry_run import Forecast


def forecast_in_words(forecast: Forecast, rate: float, run: str) -> str:
    """Return what *run* would do at *rate* requests a second; 0 means no limit."""
    rows = [
        ("base URL", forecast.api_url),
        ("in the catalogue", f"{forecast.movie_count:,} movies, as YTS counts"),
        ("in the database", f"{forecast.stored:,} movies"),
        ("pages to read", f"{forecast.pages:,}"),
        (
            "new movies",
            f"about {forecast.new:,}" if forecast.new else "none, according to the count",
        ),
        ("details to fetch", f"{forecast.details:,}"),
        ("requests", f"about {forecast.requests:,}{_time(forecast, rate)}"),
    ]
    if forecast.removed:
        rows.insert(3, ("to be removed", f"{forecast.removed:,} practice movies of the sandbox"))
    made = (
        "1 request was"
        if forecast.requests_made == 1
        else f"{forecast.requests_made} requests were"
    )
    return "\n".join(
        [
            f"A dry run: nothing was written, and {made} made.",
            aligned(rows),
            "Next:",
            aligned([("do it", run)]),
        ]
    )


def _time(forecast: Forecast, rate: float) -> str:
    return f", {duration(forecast.requests / rate)} at {rate:g} a second" if rate else ""


def forecast_facts(forecast: Forecast, rate: float) -> dict[str, Any]:
    """Return the fields of the JSON message."""
    return {
        "api_url": forecast.api_url,
        "movie_count": forecast.movie_count,
        "stored": forecast.stored,
        "removed": forecast.removed,
        "pages": forecast.pages,
        "new": forecast.new,
        "details": forecast.details,
        "requests": forecast.requests,
        "seconds": round(forecast.requests / rate, 1) if rate else None,
        "requests_made": forecast.requests_made,
    }
