"""`draw`: bar charts of the quality figures."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot


def draw(groups: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Write a plot with a panel for each group and a bar for each share."""
    size = (5.2 * len(groups), 3.2)
    figure, panels = pyplot.subplots(1, len(groups), figsize=size, layout="constrained")
    for panel, (title, shares) in zip(panels, groups.items(), strict=True):
        names = [name.replace("*", "") for name in shares]
        values = [100 * share for share in shares.values()]
        panel.barh(names, values, color="#4477aa")
        panel.invert_yaxis()
        for row, value in enumerate(values):
            panel.text(value, row, f" {value:.1f} %", va="center")
        panel.set_title(title, fontsize=10)
        panel.set_xlim(0, 1.35 * max(values))
        panel.spines[["top", "right"]].set_visible(False)
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
