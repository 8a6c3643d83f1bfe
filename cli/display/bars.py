"""`Bars`: progress of a command on a terminal; imports tqdm, which takes longer than the rest."""

import sys
from typing import Never

from tqdm import tqdm

from cli.display.events import Message, Sink
from cli.display.terminal import columns_of, fitted
from cli.display.text import printable
from web.display.wording import counts_in_words

_NARROWEST_BAR, _WIDEST_BAR = 4, 16
_LEFT = "left"
#: Order in which parts are shown beside the numbers; a narrow terminal shows only the first ones.
_BY_IMPORTANCE = ("failed", _LEFT, "saved", "updated", "missing", "unchanged", "skipped")


def bar_format(message: Message, remaining: str, columns: int) -> str:
    """
    Return the bar of a progress message for tqdm, not longer than *columns*.

    *remaining* is the time to the end of the run, empty while it is unknown. Parts that do not fit
    are left out completely, the bar first and failures last; no number is cut.
    """
    name, done, total, counts = (message[field] for field in ("phase", "done", "total", "counts"))
    share = f"{min(100, 100 * done // max(total, 1)):3d}%"
    head, far = f"{name:<7} {share}", f"{done:,}/{total:,}"
    left = remaining and f"{remaining} left"
    for number in range(len(_BY_IMPORTANCE), -1, -1):
        names = _BY_IMPORTANCE[:number]
        shown = counts_in_words({name: counts.get(name, 0) for name in names})
        line = ", ".join(filter(None, (far, left if _LEFT in names else "", shown)))
        if (spare := columns - len(head) - len(line) - 1) >= 0:
            width = min(_WIDEST_BAR, spare - 3)
            bar = f" |{{bar:{width}}}|" if width >= _NARROWEST_BAR else ""
            return f"{head}{bar} {line}"
    return share


class Bars(Sink):
    """One bar for each phase, on stderr."""

    def __init__(self) -> None:
        """Begin without bars."""
        self._bars: dict[str, tqdm[Never]] = {}

    def handle(self, message: Message) -> None:
        """Move the bar of a phase, or print a note above all bars."""
        if message["message_type"] == "note":
            note = fitted(printable(message["message"]), sys.stderr)
            tqdm.write(note, file=sys.stderr)
        elif message["message_type"] == "progress":
            self._move(message)

    def _move(self, message: Message) -> None:
        name, done, total = message["phase"], message["done"], message["total"]
        if total and name not in self._bars:
            self.close()  # The bar of a finished phase does not move.
            # Measured at each update: the terminal may have become narrower.
            self._bars[name] = tqdm(total=total, desc=name, bar_format=" ", dynamic_ncols=True)
        if (bar := self._bars.get(name)) is not None and not bar.disable:
            bar.total, bar.n = total, done
            eta = message["eta_seconds"]
            remaining = "" if eta is None else bar.format_interval(eta)
            columns = columns_of(sys.stderr) - 1
            bar.bar_format = bar_format(message, remaining, columns)
            bar.refresh()

    def close(self) -> None:
        """Continue below the bars."""
        for bar in self._bars.values():
            bar.close()
