"""`summarise`: the main figures of growth, each with its name, for the first table (pure)."""

from collections.abc import Callable, Iterator

from benchmarks.growth.figures import Growth, main_mb, median, seconds_a_movie, worker_mb
from benchmarks.growth.mirror_runs import AS_FROM_CRON, BY_IDS, First

#: With fewer movies, start-up is a large part of the time.
_FEWEST_TO_COMPARE = 5000
_CORES = 2

#: A name and its figure, as text.
Row = tuple[str, str]


def summarise(growth: Growth) -> Iterator[Row]:
    """Yield the name and the figure of everything that was measured."""
    if len(growth.sizes) > 1:
        yield _memory(growth, "the main process", main_mb)
        yield _memory(growth, "the larger worker", worker_mb)
        yield _seconds_a_movie(growth)
    for how in (AS_FROM_CRON, BY_IDS):
        yield from _again(growth, how)
    if growth.writings:
        yield from _writers(growth)
    for help_ in growth.helps:
        yield (
            f"`{help_.command} --help`, heavy imports",
            f"{1000 * help_.seconds:.0f} ms, {', '.join(help_.heavy_imports) or 'nothing'}",
        )


def _memory(growth: Growth, process: str, peak: Callable[[First], float]) -> Row:
    peaks = [median(growth.first(size), peak) for size in growth.sizes]
    return (
        f"peak memory of {process}, from {growth.sizes[0]:,} to {growth.sizes[-1]:,} movies",
        f"{min(peaks):.1f} to {max(peaks):.1f} MB, +{max(peaks) / min(peaks) - 1:.1%}",
    )


def _seconds_a_movie(growth: Growth) -> Row:
    *smaller, largest = growth.sizes
    base = next((size for size in smaller if size >= _FEWEST_TO_COMPARE), smaller[-1])
    before, after = (median(growth.first(size), seconds_a_movie) for size in (base, largest))
    return (
        f"time per movie with {largest:,} movies and with {base:,}",
        f"{1000 * after:.3f} and {1000 * before:.3f} ms, {after / before - 1:+.1%}",
    )


def _again(growth: Growth, how: str) -> Iterator[Row]:
    runs = growth.again(growth.sizes[-1], how) if growth.sizes else []
    if not runs:
        return
    seconds = median(runs, lambda run: run.seconds)
    own_seconds = median(runs, lambda run: run.own_seconds)
    yield (
        f"again over {growth.sizes[-1]:,} stored movies, {how}, from start to exit",
        f"{seconds:.2f} s, own work {own_seconds:.2f} s",
    )


def _writers(growth: Growth) -> Iterator[Row]:
    rate = max(
        writing.movies / writing.seconds for writing in growth.writings if writing.writers <= _CORES
    )
    yield "the writer alone, movies a second", f"{rate:,.0f} with up to {_CORES} writers"
    most_writers = max(writing.writers for writing in growth.writings)
    deadlocks = sum(writing.deadlocks for writing in growth.writings)
    yield f"deadlocks with up to {most_writers} writers that share all cast", f"{deadlocks}"
