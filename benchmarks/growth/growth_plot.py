"""`draw`: plot seconds per movie and peak memory against the size of the catalogue."""

from pathlib import Path

import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes

from benchmarks.growth.figures import Growth, main_mb, median, seconds_a_movie, worker_mb

_COLOUR, _OTHER_COLOUR = "#1f6f8b", "#c4622d"


def draw(growth: Growth, path: Path) -> None:
    """Write the picture to *path*: medians as lines, single rounds as dots."""
    figure, (above, below) = pyplot.subplots(2, 1, figsize=(8, 6.4), sharex=True)
    milliseconds = {
        size: 1000 * median(growth.first(size), seconds_a_movie) for size in growth.sizes
    }
    for run in growth.firsts:
        above.plot(run.movies, 1000 * seconds_a_movie(run), ".", color="#909090", zorder=1)
    _draw_line(above, milliseconds, "", _COLOUR, "{:.2f}")
    above.set_ylabel("ms a movie, start to exit")
    for name, peak, colour in (
        ("main process", main_mb, _COLOUR),
        ("larger worker", worker_mb, _OTHER_COLOUR),
    ):
        peaks = {size: median(growth.first(size), peak) for size in growth.sizes}
        _draw_line(below, peaks, name, colour, "{:.0f}")
    below.set_ylabel("peak memory, MB")
    below.set_xlabel("movies in the catalogue")
    below.legend(frameon=False, loc="lower right")
    # The sizes are multiples of each other.
    below.set_xscale("log")
    below.set_xticks(growth.sizes, [f"{size:,}" for size in growth.sizes])
    below.minorticks_off()
    above.set_title("List and details into an empty database, two workers", fontsize=10)
    figure.tight_layout()
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=110)
    pyplot.close(figure)


def _draw_line(axes: Axes, values: dict[int, float], name: str, colour: str, form: str) -> None:
    axes.plot(list(values), list(values.values()), "o-", color=colour, label=name, zorder=2)
    for size, value in values.items():
        axes.annotate(
            form.format(value), (size, value), (4, 8), textcoords="offset points", ha="center"
        )
    # From 0, because small differences would look large otherwise.
    axes.set_ylim(0, 1.3 * max(*values.values(), axes.get_ylim()[1] / 1.3))
    axes.spines[["top", "right"]].set_visible(False)
