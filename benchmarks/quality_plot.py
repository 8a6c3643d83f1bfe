"""The figures of quality as a picture."""

from collections.abc import Mapping
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")

from matplotlib import pyplot


def draw(groups: Mapping[str, Mapping[str, float]], path: Path) -> None:
    """Write a picture with a panel for each group; shares as bars."""
    figure, panels = pyplot.subplots(1, len(groups), figsize=(4.2 * len(groups), 3.2))
    for panel, (title, shares) in zip(panels, groups.items(), strict=True):
        names = list(shares)
        panel.barh(names[::-1], [100 * shares[name] for name in names[::-1]], color="#4477aa")
        for row, name in enumerate(names[::-1]):
            panel.text(100 * shares[name], row, f" {100 * shares[name]:.1f} %", va="center")
        panel.set_title(title, fontsize=10)
        panel.set_xlim(0, 125 * max(shares.values()))
        panel.spines[["top", "right"]].set_visible(False)
    figure.tight_layout()
    figure.savefig(path, dpi=120)
    pyplot.close(figure)
