"""`render`: the figures of growth as a page of Markdown (pure)."""

from collections.abc import Iterable

from benchmarks.growth.figures import Growth, main_mb, median, seconds_a_movie, worker_mb
from benchmarks.growth.growth_summary import summarise
from benchmarks.growth.mirror_runs import AS_FROM_CRON, BY_IDS, First
from benchmarks.markdown import origin, table

_HEAD = """\
# Growth

Written by `python -m benchmarks.growth`; [README.md](../README.md) says what is measured and how.
"""
_RIGHT = {True: "right", False: "**wrong**"}


def render(growth: Growth, plot: str = "") -> str:
    """Return the whole page; *plot* is the path of the picture, "" for none."""
    parts = [_HEAD, _summary(growth)]
    if growth.firsts:
        parts.append(_firsts(growth))
    if plot:
        parts.append(f"![Seconds a movie and peak memory against movies]({plot})\n")
    if growth.agains:
        parts.append(_agains(growth))
    if growth.writings:
        parts.append(_writings(growth))
    return "\n".join([*parts, origin(growth.date, growth.machine)])


def _summary(growth: Growth) -> str:
    return table(["", "measured"], map(list, summarise(growth)))


def _firsts(growth: Growth) -> str:
    rows = [_first_row(growth.first(size)) for size in growth.sizes]
    head = ["movies", "seconds", "spread", "ms a movie", "CPU ms a movie", "MB, main"]
    title = "## List and details into an empty database, two workers with four threads each\n"
    legend = (
        "Medians, start to exit. *CPU*: all processes but PostgreSQL's. *MB*: peaks of the main "
        "process and of the larger worker, pages that they share with others included.\n"
    )
    return "\n".join([title, legend, table([*head, "MB, worker", "rounds", "rows"], rows)])


def _first_row(runs: list[First]) -> list[str]:
    seconds = [run.seconds for run in runs]
    return [
        f"{runs[0].movies:,}",
        f"{median(runs, lambda run: run.seconds):.2f}",
        f"{min(seconds):.2f}-{max(seconds):.2f}",
        f"{1000 * median(runs, seconds_a_movie):.3f}",
        f"{1000 * median(runs, lambda run: run.cpu_seconds / run.movies):.3f}",
        f"{median(runs, main_mb):.1f}",
        f"{median(runs, worker_mb):.1f}",
        f"{len(runs)}",
        _verdict(run.is_right for run in runs),
    ]


def _agains(growth: Growth) -> str:
    rows = [
        [
            f"{size:,}",
            how,
            f"{median(runs, lambda run: run.seconds):.2f}",
            f"{median(runs, lambda run: run.own_seconds):.2f}",
            _verdict(run.is_right for run in runs),
        ]
        for size in growth.sizes
        for how in (AS_FROM_CRON, BY_IDS)
        if (runs := growth.again(size, how))
    ]
    legend = (
        "*Own work*: as long as the row of the run is open; the rest is imports, connecting and "
        "leaving.\n"
    )
    head = ["movies", "", "seconds", "own work", "rows"]
    return "\n".join(["## Again over stored movies\n", legend, table(head, rows)])


def _writings(growth: Growth) -> str:
    rows = [
        [
            f"{it.writers}",
            f"{it.movies:,}",
            f"{it.seconds:.2f}",
            f"{it.movies / it.seconds:,.0f}",
            f"{it.deadlocks}",
            _RIGHT[it.is_right],
        ]
        for it in growth.writings
    ]
    head = ["processes", "movies", "seconds", "movies/s", "deadlocks", "rows"]
    return "\n".join(["## The writer alone\n", table(head, rows)])


def _verdict(are_right: Iterable[bool]) -> str:
    return _RIGHT[all(are_right)]
