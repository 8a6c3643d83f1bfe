"""What a dry run says."""

from typing import Any

from cli.text import aligned, duration
from ingest.dry_run import Forecast


def forecast_in_words(told: Forecast, rate: float, run: str) -> str:
    """Return what *run* would do at *rate* requests a second, 0 being no limit."""
    rows = [
        ("base URL", told.api_url),
        ("in the catalogue", f"{told.movie_count:,} movies, as YTS counts"),
        ("in the database", f"{told.stored:,} movies"),
        ("pages to read", f"{told.pages:,}"),
        ("new movies", f"about {told.new:,}" if told.new else "none, as far as the count tells"),
        ("details to fetch", f"{told.details:,}"),
        ("requests", f"about {told.requests:,}{_time(told, rate)}"),
    ]
    if told.removed:
        rows.insert(3, ("to be removed", f"{told.removed:,} practice movies of the sandbox"))
    made = "1 request was" if told.requests_made == 1 else f"{told.requests_made} requests were"
    return "\n".join(
        [
            f"A dry run: nothing was written, and {made} made.",
            aligned(rows),
            "Next:",
            aligned([("do it", run)]),
        ]
    )


def _time(told: Forecast, rate: float) -> str:
    return f", {duration(told.requests / rate)} at {rate:g} a second" if rate else ""


def forecast_facts(told: Forecast, rate: float) -> dict[str, Any]:
    """Return the same for programs."""
    return {
        "api_url": told.api_url,
        "movie_count": told.movie_count,
        "stored": told.stored,
        "removed": told.removed,
        "pages": told.pages,
        "new": told.new,
        "details": told.details,
        "requests": told.requests,
        "seconds": round(told.requests / rate, 1) if rate else None,
        "requests_made": told.requests_made,
    }
