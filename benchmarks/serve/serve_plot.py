"""`draw`: bars of CPU milliseconds for a page and for a movie, server and PostgreSQL apart."""

from collections.abc import Sequence
from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot

from benchmarks.serve.measures import DETAILS, PAGE, Figure

_COLOUR, _OTHER_COLOUR = "#1f6f8b", "#c4622d"


def draw(figures: Sequence[Figure], path: Path) -> None:
    """Write the picture to *path*."""
    drawing, both = pyplot.subplots(1, 2, figsize=(8, 2.4))
    titles = ("a page of 50 movies", "a movie")
    for axes, kind, title in zip(both, (PAGE, DETAILS), titles, strict=True):
        chosen = [figure for figure in figures if figure.kind == kind][::-1]
        names = [figure.server for figure in chosen]
        server = [figure.cpu("server") for figure in chosen]
        database = [figure.cpu("postgresql") for figure in chosen]
        axes.barh(names, server, color=_COLOUR, label="server")
        bars = axes.barh(names, database, left=server, color=_OTHER_COLOUR, label="PostgreSQL")
        sums = [sum(pair) for pair in zip(server, database, strict=True)]
        axes.bar_label(bars, [f"{each:.1f}" for each in sums], padding=4)
        axes.set_xlim(0, 1.2 * max(sums))
        axes.set_title(f"CPU ms for {title}", fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
    both[0].legend(frameon=False, loc="lower right", fontsize=8)
    drawing.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    drawing.savefig(path, dpi=110)
    pyplot.close(drawing)
