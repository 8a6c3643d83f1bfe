"""
Bar charts of the contest.

`python -m benchmarks.contest.contest_plots benchmarks/contest` draws them again.
"""

import sys
from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

from benchmarks.contest.results import Result, Results, median_seconds
from benchmarks.contest.run_contestant import OURS, Run

_OUR_COLOUR, _THEIR_COLOUR = "#1f6f8b", "#b8b8b8"


def draw(result: Result, folder: Path) -> None:
    """Write `<folder>/<scenario>.png`: medians, with the spread as thin lines."""
    names = sorted(result.first, key=lambda name: -median_seconds(result.first[name]))
    medians = [median_seconds(result.first[name]) for name in names]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(names) + 1.2))
    colours = [_OUR_COLOUR if name == OURS else _THEIR_COLOUR for name in names]
    spread = _spread([result.first[name] for name in names])
    bars = axes.barh(names, medians, xerr=spread, color=colours, ecolor="#606060")
    axes.bar_label(bars, fmt="%.1f s", padding=6)
    axes.set_xlim(0, 1.15 * max(medians))
    axes.set_title(result.scenario.title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / f"{result.scenario.name}.png", dpi=110)
    pyplot.close(figure)


def _spread(runs_of_each: Sequence[Sequence[Run]]) -> list[list[float]]:
    """Return how far the fastest and the slowest runs are from the medians."""
    below = [median_seconds(runs) - min(it.seconds for it in runs) for runs in runs_of_each]
    above = [max(it.seconds for it in runs) - median_seconds(runs) for runs in runs_of_each]
    return [below, above]


def main() -> None:
    """Draw all results of the folder in the command line."""
    folder = Path(sys.argv[1])
    for result in Results.read(folder / "results.json").contests.values():
        draw(result, folder / "plots")


if __name__ == "__main__":
    main()
