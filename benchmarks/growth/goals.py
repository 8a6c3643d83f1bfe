"""What this project wants to reach as a catalogue grows, beside what it reaches; pure."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.growth.figures import Growth, main_mb, median, seconds_a_movie, worker_mb
from benchmarks.growth.mirror_runs import AS_FROM_CRON, BY_IDS, First

#: Largest peak by smallest, over all sizes.
_PEAK_RATIO = 1.10
#: Seconds a movie of the largest size and of the one to compare with, either way: much less for
#: the largest says that the machine had other work meanwhile.
_LINEAR_DIFFERENCE = 0.15
#: With fewer movies, starting counts for much.
_FEWEST_TO_COMPARE = 5000
_AGAIN_SECONDS, _OWN_SECONDS = 2.0, 1.0
_MOVIES_A_SECOND, _CORES = 2000, 2
_HELP_SECONDS = 0.25


@dataclass(frozen=True, slots=True)
class Judgement:
    """A goal and the figure that answers it, for a person."""

    goal: str
    figure: str
    is_met: bool


def judge(growth: Growth) -> Iterator[Judgement]:
    """Yield a judgement for each goal about which something was measured."""
    if len(growth.sizes) > 1:
        yield _judge_memory(growth, "the main process", main_mb)
        yield _judge_memory(growth, "the larger worker", worker_mb)
        yield _judge_linear(growth)
    for how in (AS_FROM_CRON, BY_IDS):
        yield from _judge_again(growth, how)
    if growth.writings:
        yield from _judge_writers(growth)
    for help_ in growth.helps:
        yield Judgement(
            f"`{help_.door} --help` under {1000 * _HELP_SECONDS:.0f} ms, nothing heavy imported",
            f"{1000 * help_.seconds:.0f} ms, {', '.join(help_.heavy_imports) or 'nothing'}",
            help_.seconds < _HELP_SECONDS and not help_.heavy_imports,
        )


def _judge_memory(growth: Growth, whose: str, peak: Callable[[First], float]) -> Judgement:
    peaks = [median(growth.first(size), peak) for size in growth.sizes]
    return Judgement(
        f"peak memory of {whose}: the same within 10 % from {growth.sizes[0]:,} to "
        f"{growth.sizes[-1]:,} movies",
        f"{min(peaks):.1f} to {max(peaks):.1f} MB, +{max(peaks) / min(peaks) - 1:.1%}",
        max(peaks) <= _PEAK_RATIO * min(peaks),
    )


def _judge_linear(growth: Growth) -> Judgement:
    *smaller, largest = growth.sizes
    base = next((size for size in smaller if size >= _FEWEST_TO_COMPARE), smaller[-1])
    before, after = (median(growth.first(size), seconds_a_movie) for size in (base, largest))
    return Judgement(
        f"seconds a movie with {largest:,} movies: within 15 % of those with {base:,}",
        f"{1000 * after:.3f} and {1000 * before:.3f} ms, {after / before - 1:+.1%}",
        abs(after / before - 1) <= _LINEAR_DIFFERENCE,
    )


def _judge_again(growth: Growth, how: str) -> Iterator[Judgement]:
    runs = growth.again(growth.sizes[-1], how) if growth.sizes else []
    if not runs:
        return
    seconds = median(runs, lambda run: run.seconds)
    own_seconds = median(runs, lambda run: run.own_seconds)
    yield Judgement(
        f"again over {growth.sizes[-1]:,} stored movies, {how}: under {_AGAIN_SECONDS:g} s from "
        f"start to exit, the program's own work under {_OWN_SECONDS:g} s",
        f"{seconds:.2f} s, own work {own_seconds:.2f} s",
        seconds < _AGAIN_SECONDS and own_seconds < _OWN_SECONDS,
    )


def _judge_writers(growth: Growth) -> Iterator[Judgement]:
    rate = max(it.movies / it.seconds for it in growth.writings if it.writers <= _CORES)
    yield Judgement(
        f"the writer alone: at least {_MOVIES_A_SECOND:,} movies a second on two cores",
        f"{rate:,.0f} with up to {_CORES} writers",
        rate >= _MOVIES_A_SECOND,
    )
    deadlocks = sum(it.deadlocks for it in growth.writings)
    yield Judgement(
        f"no deadlock with {max(it.writers for it in growth.writings)} writers who share all cast",
        f"{deadlocks}",
        deadlocks == 0,
    )
