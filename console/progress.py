"""How a run shows its course: bars on a terminal, a plain line now and then elsewhere."""

import sys
from time import monotonic
from typing import Any, Never

from tqdm import tqdm

from console.terminal import is_live
from console.text import printable

#: Off a terminal, seconds between two lines.
SECONDS_PER_LINE = 30.0

_BAR = "{desc:<7} {percentage:3.0f}% |{bar:16}| {n_fmt}/{total_fmt}, {remaining} left{postfix}"

Row = dict[str, Any]


def counts_in_words(row: Row) -> str:
    """Return the outcomes of a run so far, those that occur."""
    words = {
        "new": row["saved"],
        "updated": row["updated"],
        "unchanged": row["unchanged"],
        "skipped": row["skipped"],
        "missing": row["missing"],
        "failed": row["failed"],
    }
    return ", ".join(f"{name} {count:,}" for name, count in words.items() if count)


class Bars:
    """One bar for pages, one for details; both on stderr."""

    def __init__(self) -> None:
        """Draw nothing before there is something to show."""
        self._bars: dict[str, tqdm[Never]] = {}

    def progress(self, row: Row) -> None:
        """Show the run's row."""
        for name, unit in (("pages", "page"), ("details", "movie")):
            total, done = row[f"{name}_expected"], row[_done(name)]
            self.stage(name, unit, done, total, counts_in_words(row))

    def stage(self, name: str, unit: str, done: int, total: int, words: str = "") -> None:
        """Show how far a stage is."""
        if total and name not in self._bars:
            self.close()  # A finished stage stands still.
            self._bars[name] = tqdm(
                total=total, desc=name, unit=unit, bar_format=_BAR, smoothing=0.05
            )
        if (bar := self._bars.get(name)) is not None and not bar.disable:
            bar.total, bar.n = max(total, done), done
            bar.set_postfix_str(words)

    def note(self, sentence: str) -> None:
        """Print a sentence above the bars."""
        tqdm.write(printable(sentence), file=sys.stderr)

    def close(self) -> None:
        """Leave the bars as they are and go on below."""
        for bar in self._bars.values():
            bar.close()


class Lines:
    """A line every 30 seconds: for cron mail, log files and pipes."""

    def __init__(self) -> None:
        """Begin with silence: a short run needs no line."""
        self._last = monotonic()

    def progress(self, row: Row) -> None:
        """Print the run's row, if it is time."""
        name = "details" if row["details_expected"] else "pages"
        self.stage(name, "", row[_done(name)], row[f"{name}_expected"], counts_in_words(row))

    def stage(self, name: str, unit: str, done: int, total: int, words: str = "") -> None:
        """Print how far a stage is, if it is time."""
        if monotonic() - self._last < SECONDS_PER_LINE:
            return
        self._last = monotonic()
        self.note(f"{name} {done:,} of {total:,}{words and ': '}{words}")

    def note(self, sentence: str) -> None:
        """Print a sentence."""
        sys.stderr.write(f"{printable(sentence)}\n")
        sys.stderr.flush()

    def close(self) -> None:
        """Nothing is left open."""


class Silence:
    """Shows nothing: success is silent under -q."""

    def progress(self, row: Row) -> None:
        """Stay silent."""

    def stage(self, name: str, unit: str, done: int, total: int, words: str = "") -> None:
        """Stay silent."""

    def note(self, sentence: str) -> None:
        """Stay silent."""

    def close(self) -> None:
        """Nothing is left open."""


def open_display(*, is_quiet: bool) -> Bars | Lines | Silence:
    """Return the display that fits the place: bars never reach a file."""
    if is_quiet:
        return Silence()
    return Bars() if is_live(sys.stderr) else Lines()


def _done(stage: str) -> str:
    return f"{stage}_read"
