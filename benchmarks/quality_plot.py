"""Quality as two pictures: what recommendations reach, and what each half of a search adds."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from benchmarks.quality_goals import BOTH, OURS, VECTORS

_OUR_COLOUR, _THEIR_COLOUR, _GOAL_COLOUR = "#1f6f8b", "#b8b8b8", "#c4622d"


def draw_recommend(recommend: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Write shared taste and franchises of all that are compared."""
    figure, axes = pyplot.subplots(1, 2, figsize=(9, 3.2), sharey=True)
    for on, key, title, goal in (
        (axes[0], "overlap", "taste shared with the ten nearest, %", 11.5),
        (axes[1], "franchise", "another of the franchise among ten, %", 86.0),
    ):
        shares = {name: 100 * of[key] for name, of in recommend.items()}
        _bars(on, shares, {OURS, VECTORS}, title)
        on.axvline(goal, color=_GOAL_COLOUR, linewidth=1, linestyle="--", zorder=0)
    axes[0].invert_yaxis()
    _save(figure, path)


def draw_search(
    search: Mapping[str, Mapping[str, float]], lists: Sequence[str], path: Path
) -> None:
    """Write what each half of a search finds, and both."""
    figure, axes = pyplot.subplots(1, len(lists), figsize=(9, 2.2), sharey=True, squeeze=False)
    for on, name in zip(axes[0], lists, strict=True):
        shares = {way: 100 * share for way, share in search[name].items()}
        _bars(on, shares, {BOTH}, f"{name}: among the first ten, %")
        on.axvline(80, color=_GOAL_COLOUR, linewidth=1, linestyle="--", zorder=0)
    axes[0][0].invert_yaxis()
    _save(figure, path)


def _bars(axes: Axes, shares: Mapping[str, float], ours: set[str], title: str) -> None:
    colours = [_OUR_COLOUR if name in ours else _THEIR_COLOUR for name in shares]
    bars = axes.barh(
        [name.replace("`", "") for name in shares], list(shares.values()), color=colours
    )
    axes.bar_label(
        bars, fmt="%.1f", padding=4, bbox={"facecolor": "white", "edgecolor": "none", "pad": 1}
    )
    axes.set_xlim(0, 1.2 * max(shares.values()))
    axes.set_title(title, fontsize=10)
    axes.spines[["top", "right"]].set_visible(False)


def _save(figure: Figure, path: Path) -> None:
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)
