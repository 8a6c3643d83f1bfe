"""
`EventStream`: sends the messages of a command, plain dictionaries, to all of its sinks.

Each sink (a terminal, JSON Lines, a log file) gets all messages in order, and shows those that are
useful there. docs/messages.md has their fields.
"""

import errno
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from cli.display.progress_rate import Countdown, left_of
from cli.display.text import duration, one_line
from web.display.wording import OUTCOMES, counts_in_words

if TYPE_CHECKING:
    from database.bookkeeping.failures import Failure

Message = dict[str, Any]

_PHASES = ("pages", "details")

#: The other end of a pipe or terminal was closed: the work continues without it.
_GONE = {errno.EPIPE, errno.EIO}


class Sink:
    """A reader of messages; this one ignores them."""

    #: Minimum time between two progress messages, in seconds.
    seconds_between = 0.0

    def handle(self, message: Message) -> None:
        """Show or write *message*."""

    def close(self) -> None:
        """Finish the output."""


class EventStream:
    """Sends messages to all sinks of one command."""

    def __init__(self, readers: Sequence[Sink], rate: float = 0) -> None:
        """Send to *readers*, in order; *rate* is the limit of requests a second, 0 for none."""
        self._readers = list(readers)
        self._rate = rate or None
        self._countdown = Countdown()
        self._lock = threading.RLock()
        self._phase = ""
        self._last = dict.fromkeys(readers, float("-inf"))

    def start(self, **facts: Any) -> None:
        """Send the message `start`."""
        self._send("start", **facts)

    def progress(self, row: Mapping[str, Any]) -> None:
        """Send the progress of a run, from its row; for a finished phase, its end once."""
        counts = {name: row[name] for name in OUTCOMES if row[name]}
        is_known = row["phase"] in _PHASES
        now = row["phase"] if is_known else "details" if row["details_expected"] else "pages"
        done = row["pages_read"] + row["details_read"]
        eta = self._countdown.record(now, done, left_of(row), monotonic(), self._rate)
        for phase in dict.fromkeys((self._phase or now, now)):
            if row[f"{phase}_expected"]:
                self._send_progress(
                    phase, row[f"{phase}_read"], row[f"{phase}_expected"], counts, eta
                )
        self._phase = now

    def phase(self, name: str, done: int, total: int) -> None:
        """Send the progress of a phase that is not part of a run."""
        eta = self._countdown.record(name, done, max(0, total - done), monotonic())
        self._send_progress(name, done, total, {}, eta)

    def _send_progress(
        self, name: str, done: int, total: int, counts: dict[str, int], eta: float | None
    ) -> None:
        self._send(
            "progress",
            phase=name,
            done=done,
            total=max(done, total),
            counts=counts,
            eta_seconds=None if eta is None else round(eta, 1),
        )

    def forecast(self, **facts: Any) -> None:
        """Send what a run would do."""
        self._send("forecast", **facts)

    def failure(self, failure: "Failure") -> None:
        """Send a page or movie that failed."""
        self._send(
            "failure",
            kind=failure.kind,
            key=failure.key,
            stage=failure.stage,
            error_class=failure.error_class,
            reason=failure.message,
        )

    def note(self, message: str) -> None:
        """Send a note for the user."""
        self._send("note", message=message)

    def summary(self, **facts: Any) -> None:
        """Send the results."""
        self._send("summary", **facts)

    def error(self, message: str, exit_code: int) -> None:
        """Send the error that replaces the summary."""
        self._send("error", message=message, exit_code=exit_code)

    def close(self) -> None:
        """Finish the output."""
        for reader in self._readers:
            with suppress(OSError):
                reader.close()

    def _send(self, message_type: str, /, **fields: Any) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        message = {"message_type": message_type, "time": time, **fields}
        now = monotonic()
        with self._lock:  # Another thread reports waits.
            for reader in [*self._readers]:
                if message_type == "progress":
                    if now - self._last[reader] < reader.seconds_between:
                        continue
                    self._last[reader] = now
                try:
                    reader.handle(message)
                except OSError as error:
                    if error.errno not in _GONE:
                        raise
                    self._readers.remove(reader)


def in_words(message: Message) -> str:
    """Return *message* as a line of text, without its time."""
    return one_line(_in_words(message))


def _in_words(message: Message) -> str:
    match message["message_type"]:
        case "note" | "error":
            return str(message["message"])
        case "failure":
            what = f"{message['kind']} {message['key']} ({message['stage']})"
            return f"failed: {what}: {message['reason']}"
        case "progress":
            outcomes = counts_in_words(message["counts"])
            far = f"{message['phase']} {message['done']:,} of {message['total']:,}"
            eta = message["eta_seconds"]
            left = "" if eta is None else f"; about {duration(eta)} left"
            return f"{far}: {outcomes}{left}" if outcomes else f"{far}{left}"
        case kind:
            facts = {name: value for name, value in message.items() if name not in _HEAD}
            plain = {
                name: value for name, value in facts.items() if isinstance(value, str | int | float)
            }
            return f"{kind}: " + ", ".join(f"{name} {value}" for name, value in plain.items())


_HEAD = ("message_type", "time")
