"""`open_terminal`: progress of a command as bars on a terminal, or as plain lines elsewhere."""

import sys

from cli.display.events import Message, Sink, in_words
from cli.display.terminal import is_live
from cli.display.text import printable


class Lines(Sink):
    """A line every 30 seconds: for cron mail, log files and pipes."""

    seconds_between = 30.0

    def __init__(self) -> None:
        """Skip the first message of progress: a short run needs no line."""
        self._is_first = True

    def handle(self, message: Message) -> None:
        """Print progress and notes."""
        is_progress = message["message_type"] == "progress"
        if is_progress and self._is_first:
            self._is_first = False
        elif is_progress or message["message_type"] == "note":
            sys.stderr.write(f"{printable(in_words(message))}\n")
            sys.stderr.flush()


def open_terminal(*, is_quiet: bool) -> Sink:
    """Return the sink that fits stderr: bars on a terminal, else lines; with -q none."""
    if is_quiet:
        return Sink()
    if not is_live(sys.stderr):
        return Lines()
    from cli.display.bars import Bars  # noqa: PLC0415 -- tqdm, where it is needed

    return Bars()
