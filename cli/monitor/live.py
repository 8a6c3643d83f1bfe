"""`Dashboard`: the status as one screen of 80 x 24 that is redrawn at every poll."""

from collections.abc import Sequence
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

from cli.display.progress_rate import Pace, RateHistory, sparkline
from cli.display.text import one_line, printable
from cli.monitor.wording import (
    EMPTY,
    WAITING,
    catalogue_rows,
    error_rows,
    eta_in_words,
    headline,
    local_time,
    movie_row,
    rate_in_words,
    with_source,
    worker_rows,
)
from database.bookkeeping.rows import RunRow
from database.monitoring.status import Status
from web.display.wording import counts_in_words, phases

#: Wider terminals are not filled: columns far apart are hard to read.
WIDEST = 100
#: Few enough to leave space in 24 lines for a long reason of a wait.
GENRES = 6
FEWER_GENRES = 3
#: Lines that are always used; a higher terminal shows more.
LOWEST = 23
#: Style of the headline, by the state of the run.
STYLES = {"running": "bold green", "ended": "bold", "killed": "bold yellow"}


class Dashboard:
    """The live view; it restores the terminal at its end."""

    def __init__(self, database: str, interval_seconds: float) -> None:
        """Prepare the view; *database* is its name in the title."""
        self._live = Live(console=Console(highlight=False), screen=True, auto_refresh=False)
        self._database = self._head = one_line(database)
        self._footer = f"every {interval_seconds:g} s, Ctrl-C leaves"
        self._body: RenderableType = Text("connecting", "dim")
        self._rates = RateHistory()

    def __enter__(self) -> Self:
        """Switch to the alternate screen."""
        self._live.start()
        self._live.update(self._compose("", self._footer), refresh=True)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Restore the screen."""
        self._live.stop()

    def show(self, status: Status, pace: Pace | None) -> None:
        """Draw the status."""
        self._live.update(self.picture(status, pace, self._live.console.height), refresh=True)

    def picture(self, status: Status, pace: Pace | None, height: int) -> RenderableType:
        """Return the status as drawn in *height* lines."""
        self._head = with_source(self._database, status)
        self._body = _body(status, pace, self._rates.record(status), height)
        return self._compose(local_time(status.time), self._footer)

    def wait(self, reason: str) -> None:
        """Draw the reason why there is no status, below the last status."""
        footer = f"{WAITING}: {printable(reason)}"
        self._live.update(self._compose("", footer, "yellow"), refresh=True)

    def _compose(self, time: str, footer: str, style: str = "dim") -> RenderableType:
        head = _grid(_ellipsis(), {"justify": "right", "no_wrap": True})
        head.add_row(Text.assemble(("YTS mirror", "bold"), f"  {self._head}"), Text(time, "dim"))
        picture = Group(head, Rule(style="dim"), self._body, Text(), Text(footer, style))
        return Constrain(picture, WIDEST)


def _body(status: Status, pace: Pace | None, rates: Sequence[float], height: int) -> RenderableType:
    if status.is_empty:
        return Text(EMPTY)
    parts: list[RenderableType] = [_catalogue(status), Text()]
    # The first parts fit into 24 lines and are always shown; the others if there is space.
    spare = height - LOWEST
    if status.run is not None and pace is not None:
        parts += [_run(status, status.run, pace, rates), Text()]
        if pace.state == "running":
            parts += _titled("Workers", worker_rows(status), spare)
            spare -= len(status.workers) + 2
    errors = error_rows(status)
    shown = GENRES
    if errors and spare < len(errors) + 2:  # Errors are more important than genres.
        shown, errors, spare = FEWER_GENRES, errors[:2], 4
    if status.last_stored_movies:
        parts += [_newest_and_genres(status, shown), Text()]
    parts += _titled("Last errors", errors, spare)
    return Group(*parts[:-1])


def _titled(title: str, rows: Sequence[tuple[str, str]], height: int) -> list[RenderableType]:
    """Return a title and the first of *rows*, as many as fit into *height* lines."""
    rows = rows[: max(0, height - 2)]
    if not rows:
        return []
    table = _grid({"no_wrap": True}, _ellipsis())
    for name, value in rows:
        table.add_row(Text(name, "dim"), Text(value))
    return [Text(title, "dim"), table, Text()]


def _catalogue(status: Status) -> Table:
    """Lay the totals out in two columns of names and numbers."""
    rows = catalogue_rows(status)
    table = _grid({"min_width": 16}, {"ratio": 3}, {"min_width": 16}, {"ratio": 2})
    half = (len(rows) + 1) // 2
    for left, right in zip_longest(rows[:half], rows[half:], fillvalue=("", "")):
        table.add_row(Text(left[0], "dim"), Text(left[1]), Text(right[0], "dim"), Text(right[1]))
    return table


def _run(status: Status, run: RunRow, pace: Pace, rates: Sequence[float]) -> Group:
    lines: list[RenderableType] = [Text(headline(run, pace), STYLES[pace.state])]
    bars = _grid({"min_width": 7}, {"ratio": 1}, {"justify": "right", "no_wrap": True})
    for phase, read, expected in phases(run):
        bar = ProgressBar(total=expected, completed=read)
        bars.add_row(Text(phase, "dim"), bar, Text(f"{read:,} of {expected:,}"))
    if bars.rows:
        lines.append(bars)
    pacing = f"{run.requests:,} requests, {rate_in_words(status, pace)}"
    if pace.state == "running":
        pacing += f"; ETA: {eta_in_words(pace)}"
    counts = _grid(_ellipsis(), {"no_wrap": True})
    counts.add_row(Text(counts_in_words(run.counts)), Text(sparkline(rates), "green"))
    return Group(*lines, Text(pacing, no_wrap=True, overflow="ellipsis"), counts)


def _newest_and_genres(status: Status, rows: int) -> Table:
    newest = _grid({"justify": "right", "no_wrap": True, "min_width": 4}, _ellipsis())
    for movie in status.last_stored_movies[:rows]:
        rating, title = movie_row(movie)
        newest.add_row(Text(rating, "dim"), Text(title))
    genres = _grid(_ellipsis(), {"justify": "right", "no_wrap": True})
    for genre in status.top_genres[:rows]:
        genres.add_row(Text(one_line(genre.name)), Text(f"{genre.movies:,}"))
    table = _grid({"ratio": 3}, {"ratio": 2})
    table.add_row(Text("Last stored", "dim"), Text("Top genres", "dim"))
    table.add_row(newest, genres)
    return table


def _grid(*columns: dict[str, Any]) -> Table:
    """Return an empty table without lines, as wide as the screen."""
    table = Table.grid(expand=True, padding=(0, 2, 0, 0))
    for column in columns:
        table.add_column(**column)
    return table


def _ellipsis() -> dict[str, Any]:
    return {"ratio": 1, "no_wrap": True, "overflow": "ellipsis"}
