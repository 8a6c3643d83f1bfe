"""
Draw where the time of a program goes, from samples of py-spy.

\b
Example:
  py-spy record --subprocesses --gil -r 200 -f raw -o samples.txt -- COMMAND
  python -m benchmarks.flame_graph samples.txt flames.png --root run_batch --root Fetcher._pull

Each box is a function, as wide as its share of the samples, above the one that called it.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

import click
import matplotlib as mpl

mpl.use("Agg")
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

#: A frame of py-spy: the function, and the file with a line.
_FRAME = re.compile(r"(?P<function>.+) \((?P<file>.+?)(:\d+)?\)")
#: Narrower boxes are not drawn.
_LEAST_SHARE = 0.004
#: Number of letters that fit next to each other across the whole picture.
_LETTERS = 200
_COLOURS = {
    "this program": "#c7dcf2",
    "SQLAlchemy, psycopg2": "#f6d2a9",
    "pydantic": "#cfe8c4",
    "HTTP": "#e3cdea",
    "other": "#e4e4e4",
}
_OWN = {"cli", "database", "ingest", "yts"}
_HTTP = {"http", "requests", "urllib3", "socket.py", "email"}

Stacks = Mapping[tuple[str, ...], int]


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("samples", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.argument("picture", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--root", "roots", required=True, multiple=True, help="Draw only what this function calls."
)
def main(samples: Path, picture: Path, roots: tuple[str, ...]) -> None:
    """Read, draw, keep."""
    stacks = _read(samples, roots)
    if not stacks:
        raise click.BadParameter(f"no sample is in {' or '.join(roots)}", param_hint="--root")
    figure, axes = pyplot.subplots(figsize=(13, 7.5), layout="constrained")
    axes.set_xlim(0, 1)
    axes.set_ylim(0, _draw(axes, stacks, left=0.0, depth=0, whole=sum(stacks.values())))
    axes.set_axis_off()
    patches = [Rectangle((0, 0), 1, 1, color=colour) for colour in _COLOURS.values()]
    axes.legend(patches, [*_COLOURS], loc="upper right", frameon=False)
    figure.savefig(picture, dpi=90)


def _read(samples: Path, roots: Collection[str]) -> Stacks:
    """Return the number of samples of each stack from a root on, without numbers of lines."""
    stacks: defaultdict[tuple[str, ...], int] = defaultdict(int)
    for line in samples.read_text(encoding="utf-8").splitlines():
        stack, _, count = line.rpartition(" ")
        frames = [re.sub(r":\d+\)$", ")", frame) for frame in stack.split(";")]
        names = [frame.partition(" (")[0] for frame in frames]
        starts = [place for place, name in enumerate(names) if name in roots]
        if starts:
            stacks[tuple(frames[starts[0] :])] += int(count)
    return stacks


def _draw(axes: Axes, stacks: Stacks, *, left: float, depth: int, whole: int) -> int:
    """Draw the first frames of *stacks* from *left* on, and all above; return the height."""
    height = depth
    for frame, above in _divide(stacks):
        share = sum(above.values()) / whole
        if share >= _LEAST_SHARE:
            colour = _COLOURS[_kind_of(frame)]
            axes.add_patch(Rectangle((left, depth), share, 1, facecolor=colour, edgecolor="white"))
            name = frame.partition(" (")[0].rpartition("<locals>.")[2].rpartition(".")[2]
            if len(name) <= share * _LETTERS:
                axes.text(left + share / 2, depth + 0.5, name, ha="center", va="center", size=7)
            top = _draw(axes, above, left=left, depth=depth + 1, whole=whole)
            height = max(height, top)
        left += share
    return height


def _divide(stacks: Stacks) -> Iterator[tuple[str, Stacks]]:
    """Yield each first frame, the most frequent one first, with what stands above it."""
    parts: defaultdict[str, defaultdict[tuple[str, ...], int]] = defaultdict(
        lambda: defaultdict(int)
    )
    for stack, count in stacks.items():
        if stack:
            parts[stack[0]][stack[1:]] += count
    yield from sorted(parts.items(), key=lambda part: -sum(part[1].values()))


def _kind_of(frame: str) -> str:
    """Return the key of the colour of a frame."""
    match = _FRAME.fullmatch(frame)
    package = (match["file"] if match else "").partition("/")[0]
    if package in _OWN:
        return "this program"
    if package in {"sqlalchemy", "psycopg2"}:
        return "SQLAlchemy, psycopg2"
    if package == "pydantic":
        return "pydantic"
    return "HTTP" if package in _HTTP else "other"


if __name__ == "__main__":
    main()
