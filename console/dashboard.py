"""The monitor's display on a terminal: one screen of 80 x 24 that is redrawn at every poll."""

from itertools import zip_longest
from types import TracebackType
from typing import Any, Self

from rich.console import Console, Group, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from console.pace import Pace
from console.progress import counts_in_words
from console.status import (
    EMPTY,
    WAITING,
    catalogue_rows,
    eta_in_words,
    headline,
    local_time,
    movie_row,
    phases,
    with_source,
)
from console.text import one_line, printable
from database.status import Status

#: Wider terminals are not filled: columns far apart are hard to read.
WIDEST = 100
#: So many that 24 lines also hold a long reason to wait.
GENRES = 6
#: Style of the headline, by the state of the run.
STYLES = {"running": "bold green", "ended": "bold", "vanished": "bold yellow"}

Row = dict[str, Any]


class Dashboard:
    """The live view; it leaves the terminal as it was."""

    def __init__(self, place: str, interval_seconds: float) -> None:
        """Draw nothing yet."""
        self._live = Live(console=Console(highlight=False), screen=True, auto_refresh=False)
        self._place = self._head = one_line(place)
        self._footer = f"every {interval_seconds:g} s, Ctrl-C leaves"
        self._body: RenderableType = Text("connecting", "dim")

    def __enter__(self) -> Self:
        """Take the screen."""
        self._live.start()
        self._draw("", self._footer)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Give the screen back."""
        self._live.stop()

    def show(self, status: Status, pace: Pace | None) -> None:
        """Draw the status."""
        self._head = with_source(self._place, status)
        self._body = _body(status, pace)
        self._draw(local_time(status.time), self._footer)

    def wait(self, reason: str) -> None:
        """Draw why there is no status, below the last one."""
        self._draw("", f"{WAITING}: {printable(reason)}", style="yellow")

    def _draw(self, time: str, footer: str, style: str = "dim") -> None:
        head = _grid(_ellipsis(), {"justify": "right", "no_wrap": True})
        head.add_row(Text.assemble(("YTS mirror", "bold"), f"  {self._head}"), Text(time, "dim"))
        picture = Group(head, Rule(style="dim"), self._body, Text(), Text(footer, style))
        self._live.update(Constrain(picture, WIDEST), refresh=True)


def _body(status: Status, pace: Pace | None) -> RenderableType:
    if status.is_empty:
        return Text(EMPTY)
    parts: list[RenderableType] = [_catalogue(status), Text()]
    if status.run is not None and pace is not None:
        parts += [_run(status.run, pace), Text()]
    if status.newest_movies:
        parts.append(_newest_and_genres(status))
    return Group(*parts)


def _catalogue(status: Status) -> Table:
    """Lay the totals out in two columns of names and numbers."""
    rows = catalogue_rows(status)
    table = _grid({"min_width": 16}, {"ratio": 3}, {"min_width": 16}, {"ratio": 2})
    half = (len(rows) + 1) // 2
    for left, right in zip_longest(rows[:half], rows[half:], fillvalue=("", "")):
        table.add_row(Text(left[0], "dim"), Text(left[1]), Text(right[0], "dim"), Text(right[1]))
    return table


def _run(run: Row, pace: Pace) -> Group:
    lines: list[RenderableType] = [Text(headline(run, pace), STYLES[pace.state])]
    bars = _grid({"min_width": 7}, {"ratio": 1}, {"justify": "right", "no_wrap": True})
    for phase, read, expected in phases(run):
        bar = ProgressBar(total=expected, completed=read)
        bars.add_row(Text(phase, "dim"), bar, Text(f"{read:,} of {expected:,}"))
    if bars.rows:
        lines.append(bars)
    pacing = f"{run['requests']:,} requests, {pace.rates['requests']:.1f} a second"
    if pace.state == "running":
        pacing += f"; ETA of this phase: {eta_in_words(pace)}"
    return Group(*lines, Text(pacing), Text(counts_in_words(run), no_wrap=True))


def _newest_and_genres(status: Status) -> Table:
    newest = _grid({"justify": "right", "no_wrap": True, "min_width": 4}, _ellipsis())
    for movie in status.newest_movies:
        rating, title = movie_row(movie)
        newest.add_row(Text(rating, "dim"), Text(title))
    genres = _grid(_ellipsis(), {"justify": "right", "no_wrap": True})
    for genre in status.top_genres[:GENRES]:
        genres.add_row(Text(one_line(genre["name"])), Text(f"{genre['movies']:,}"))
    table = _grid({"ratio": 3}, {"ratio": 2})
    table.add_row(Text("Last movies added", "dim"), Text("Top genres", "dim"))
    table.add_row(newest, genres)
    return table


def _grid(*columns: Row) -> Table:
    """Return an empty table without lines, as wide as there is room."""
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(**column)
    return table


def _ellipsis() -> Row:
    return {"ratio": 1, "no_wrap": True, "overflow": "ellipsis"}
