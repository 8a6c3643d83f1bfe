"""The seconds of a scenario as bars."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

from benchmarks.contest import OURS
from benchmarks.results import Result, median_seconds

_OUR_COLOUR, _THEIR_COLOUR = "#1f6f8b", "#b8b8b8"


def draw(result: Result, folder: Path) -> None:
    """Write `<folder>/<scenario>.png`: medians, with the spread as thin lines."""
    names = sorted(result.first, key=lambda name: -median_seconds(result.first[name]))
    medians = [median_seconds(result.first[name]) for name in names]
    spread = [[], []] if not names else [
        [middle - min(run.seconds for run in result.first[name])
         for name, middle in zip(names, medians, strict=True)],
        [max(run.seconds for run in result.first[name]) - middle
         for name, middle in zip(names, medians, strict=True)],
    ]
    figure, axes = pyplot.subplots(figsize=(8, 0.6 * len(names) + 1.2))
    colours = [_OUR_COLOUR if name == OURS else _THEIR_COLOUR for name in names]
    bars = axes.barh(names, medians, xerr=spread, color=colours, ecolor="#606060")
    axes.bar_label(bars, fmt="%.1f s", padding=6)
    axes.set_xlim(0, 1.15 * max(medians))
    axes.set_title(result.scenario.title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    folder.mkdir(exist_ok=True)
    figure.savefig(folder / f"{result.scenario.name}.png", dpi=110)
    pyplot.close(figure)
