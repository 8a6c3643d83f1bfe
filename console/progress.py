"""How a command shows its course: bars on a terminal, a plain line now and then elsewhere."""

import sys
from typing import TYPE_CHECKING, Never

from console.messages import Message, Reader, counts_in_words, in_words
from console.terminal import is_live
from console.text import printable

if TYPE_CHECKING:  # Workers start meanwhile, and cron never sees a bar.
    from tqdm import tqdm

_BAR = "{desc:<7} {percentage:3.0f}% |{bar:16}| {n_fmt}/{total_fmt}, {remaining} left{postfix}"


class Bars(Reader):
    """One bar for each stage, on stderr."""

    def __init__(self) -> None:
        """Draw nothing before there is something to show."""
        self._bars: dict[str, tqdm[Never]] = {}

    def take(self, message: Message) -> None:
        """Move the bar of a stage, or print a sentence above all."""
        if message["message_type"] == "note":
            from tqdm import tqdm  # noqa: PLC0415 -- when there is something to show

            tqdm.write(printable(message["sentence"]), file=sys.stderr)
        elif message["message_type"] == "progress":
            self._move(message)

    def _move(self, message: Message) -> None:
        name = message["stage"]
        if message["total"] and name not in self._bars:
            from tqdm import tqdm  # noqa: PLC0415

            self.close()  # A finished stage stands still.
            self._bars[name] = tqdm(
                total=message["total"], desc=name, bar_format=_BAR, smoothing=0.05
            )
        if (bar := self._bars.get(name)) is not None and not bar.disable:
            bar.total, bar.n = message["total"], message["done"]
            bar.set_postfix_str(counts_in_words(message["counts"]))

    def close(self) -> None:
        """Go on below the bars."""
        for bar in self._bars.values():
            bar.close()


class Lines(Reader):
    """A line now and then: for cron mail, log files and pipes."""

    seconds_between = 30.0

    def __init__(self) -> None:
        """Begin with silence: a short run needs no line."""
        self._is_first = True

    def take(self, message: Message) -> None:
        """Print how far it is, and sentences."""
        is_progress = message["message_type"] == "progress"
        if is_progress and self._is_first:
            self._is_first = False
        elif is_progress or message["message_type"] == "note":
            sys.stderr.write(f"{printable(in_words(message))}\n")
            sys.stderr.flush()


def open_terminal(*, is_quiet: bool) -> Reader:
    """Return the reader that fits the place: bars never reach a file, nothing does under -q."""
    if is_quiet:
        return Reader()
    return Bars() if is_live(sys.stderr) else Lines()
