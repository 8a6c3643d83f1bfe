"""`write_page`: the overview as one self-contained HTML page, without network or scripts."""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from cli.display.events import counts_in_words
from cli.display.text import duration, one_line, utc_time
from cli.monitor.wording import percent
from cli.output import open_output
from database.monitoring.history import PastRun
from database.monitoring.overview import Overview

#: Maximum number of listed runs; `--history` has all of them.
RUNS = 30
#: Number of genres in the table, those with the most movies.
GENRES = 14


def write_page(overview: Overview, path: Path) -> None:
    """
    Write the page to *path*, see `open_output`.

    Raises:
        OSError: the file cannot be written.
    """
    page = _render(overview).encode()
    with open_output(path) as file:
        file.write(page)


def _render(overview: Overview) -> str:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("page.html").render(
        time=utc_time(overview.time),
        is_practice=overview.sync is not None and overview.sync.source == "sandbox",
        totals=_totals(overview),
        runs=_runs(overview.runs),
        growth=_growth(overview),
        decades=list(overview.decades),
        genres=_genres(overview),
        ratings=_bars((str(points), overview.ratings.get(points, 0)) for points in range(11)),
        coverage=[
            (f"{decade}s", f"{detailed:,} of {movies:,}", 100 * detailed / movies)
            for decade, (movies, detailed) in overview.decades.items()
        ],
    )


def _totals(overview: Overview) -> list[tuple[str, str, str]]:
    """Return name, number and a remark of each total."""
    stats, expected = overview.stats, overview.sync and overview.sync.movie_count
    shares = [percent(stats, n) for n in (stats.movies_with_details, stats.movies_with_vectors)]
    details, vectors = ("" if share is None else f"{share:.1f} % of all" for share in shares)
    return [
        ("movies", f"{stats.total_movies:,}", f"of about {expected:,}" if expected else ""),
        ("with details", f"{stats.movies_with_details:,}", details),
        ("with vectors", f"{stats.movies_with_vectors:,}", vectors),
        ("torrents", f"{stats.total_torrents:,}", "metadata only"),
        ("people", f"{stats.total_cast:,}", ""),
        ("average rating", str(stats.average_rating or "unknown"), ""),
        ("failures", f"{stats.total_failures:,}", "on record, tried again"),
    ]


def _runs(runs: Sequence[PastRun]) -> list[dict[str, Any]]:
    longest = max((past.seconds for past in runs[:RUNS]), default=0) or 1
    return [
        {
            "began": utc_time(past.run.started_at),
            "took": duration(past.seconds),
            "percent": 100 * past.seconds / longest,
            "end": past.state if past.run.exit_code is None else f"exit {past.run.exit_code}",
            "is_good": past.run.exit_code == 0 or past.state == "running",
            "requests": f"{past.run.requests:,}",
            "counts": counts_in_words(past.run.counts) or "nothing",
        }
        for past in runs[:RUNS]
    ]


def _growth(overview: Overview) -> dict[str, str] | None:
    """Return the sum of all uploads by month as points of a line in a square of 100 x 100."""
    months = [(month.name, month.movies) for month in reversed(overview.months) if month.name]
    if len(months) < 2:
        return None
    sums = list(accumulate(movies for _, movies in months))
    step = 100 / (len(sums) - 1)
    points = [
        f"{number * step:.2f},{100 - 100 * movies / sums[-1]:.2f}"
        for number, movies in enumerate(sums)
    ]
    return {
        "points": " ".join(points),
        "first": months[0][0],
        "last": months[-1][0],
        "most": f"{sums[-1]:,}",
    }


def _genres(overview: Overview) -> list[tuple[str, list[tuple[int, float]]]]:
    """Return each genre with movies and shade, in percent, for each decade."""
    by_size = sorted(overview.genres.items(), key=lambda genre: -sum(genre[1].values()))[:GENRES]
    most = max((movies for _, decades in by_size for movies in decades.values()), default=1)
    return [
        (
            one_line(name),
            [
                # The square root, because otherwise only the largest would differ visibly from 0.
                (movies := decades.get(decade, 0), 100 * (movies / most) ** 0.5)
                for decade in overview.decades
            ],
        )
        for name, decades in by_size
    ]


def _bars(rows: Iterable[tuple[str, int]]) -> list[tuple[str, str, float]]:
    """Return name, number and height in percent of each."""
    rows = list(rows)
    most = max(count for _, count in rows) or 1
    return [(name, f"{count:,}", 100 * count / most) for name, count in rows]
