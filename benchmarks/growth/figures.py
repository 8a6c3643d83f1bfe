"""`Growth`: all measurements of growth, and functions for their medians (pure)."""

import statistics
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from benchmarks.growth.mirror_runs import Again, First
from benchmarks.growth.startup import Help
from benchmarks.growth.writers import Writing

_Run = TypeVar("_Run")


@dataclass(slots=True)
class Growth:
    """All measurements; those that were not requested stay empty."""

    date: str
    machine: dict[str, str]
    #: Of all sizes and rounds.
    firsts: list[First] = field(default_factory=list)
    agains: list[Again] = field(default_factory=list)
    writings: list[Writing] = field(default_factory=list)
    helps: list[Help] = field(default_factory=list)

    @property
    def sizes(self) -> list[int]:
        """Return the numbers of movies in ascending order."""
        return sorted({run.movies for run in self.firsts})

    def first(self, size: int) -> list[First]:
        """Return the first runs over *size* movies, one for each round."""
        return [run for run in self.firsts if run.movies == size]

    def again(self, size: int, how: str) -> list[Again]:
        """Return the runs over *size* stored movies, one for each round."""
        return [run for run in self.agains if (run.movies, run.how) == (size, how)]


def median(runs: Iterable[_Run], value: Callable[[_Run], float]) -> float:
    """Return the median over the rounds."""
    return statistics.median(map(value, runs))


def seconds_a_movie(run: First) -> float:
    """Return the seconds from start to exit, by movies."""
    return run.seconds / run.movies


def main_mb(run: First) -> float:
    """Return the peak of the main process."""
    return run.peaks.main_mb


def worker_mb(run: First) -> float:
    """Return the peak of the larger worker."""
    return max(run.peaks.workers_mb, default=0.0)
