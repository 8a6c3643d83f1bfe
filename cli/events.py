"""
What a command says of its course: messages, each a plain dictionary with a `message_type`.

Whoever reads them (a terminal, a program, a log file) gets all of them, in order, and shows
what is of use there. docs/messages.md has their fields.
"""

import errno
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from time import monotonic
from typing import TYPE_CHECKING, Any

from cli.progress_rate import Countdown, left_of
from cli.text import duration, one_line

if TYPE_CHECKING:  # A dry run, or --help, needs no database for it.
    from database.bookkeeping.failures import Failure

Message = dict[str, Any]

_OUTCOMES = {
    "saved": "new",
    "updated": "updated",
    "unchanged": "unchanged",
    "skipped": "skipped",
    "missing": "missing",
    "failed": "failed",
}


_STAGES = ("pages", "details")

#: Nobody is left at the other end of a pipe or terminal: the work goes on without it.
_GONE = {errno.EPIPE, errno.EIO}


class Sink:
    """Somebody who is told; this one does not listen."""

    #: Between two messages of progress that are of use.
    seconds_between = 0.0

    def handle(self, message: Message) -> None:
        """Read *message*."""

    def close(self) -> None:
        """Leave what is shown as it is."""


class EventStream:
    """Tells all readers of one command."""

    def __init__(self, readers: Sequence[Sink], rate: float = 0) -> None:
        """Tell *readers*, in this order; *rate* is the limit of requests a second, 0 none."""
        self._readers = list(readers)
        self._rate = rate or None
        self._countdown = Countdown()
        self._lock = threading.RLock()
        self._stage = ""
        self._last = dict.fromkeys(readers, float("-inf"))

    def start(self, **facts: Any) -> None:
        """Tell what begins."""
        self._tell("start", **facts)

    def progress(self, row: Mapping[str, Any]) -> None:
        """Tell how far a run is, from its row; of a stage that is over, once how it ended."""
        counts = {name: row[name] for name in _OUTCOMES if row[name]}
        is_known = row["phase"] in _STAGES
        now = row["phase"] if is_known else "details" if row["details_expected"] else "pages"
        left = left_of(row)
        eta = self._countdown.take(now, row[f"{now}_read"], left, monotonic(), self._rate)
        for stage in dict.fromkeys((self._stage or now, now)):
            if row[f"{stage}_expected"]:
                self._tell_stage(stage, row[f"{stage}_read"], row[f"{stage}_expected"], counts, eta)
        self._stage = now

    def stage(self, name: str, done: int, total: int) -> None:
        """Tell how far a stage is that is no part of a run."""
        eta = self._countdown.take(name, done, max(0, total - done), monotonic())
        self._tell_stage(name, done, total, {}, eta)

    def _tell_stage(
        self, name: str, done: int, total: int, counts: dict[str, int], eta: float | None
    ) -> None:
        self._tell(
            "progress",
            stage=name,
            done=done,
            total=max(done, total),
            counts=counts,
            eta_seconds=None if eta is None else round(eta, 1),
        )

    def forecast(self, **facts: Any) -> None:
        """Tell what a run would do."""
        self._tell("forecast", **facts)

    def failure(self, failure: "Failure") -> None:
        """Tell what failed."""
        self._tell(
            "failure",
            kind=failure.kind,
            key=failure.key,
            stage=failure.stage,
            error_class=failure.error_class,
            reason=failure.message,
        )

    def note(self, sentence: str) -> None:
        """Tell a sentence worth knowing."""
        self._tell("note", sentence=sentence)

    def summary(self, **facts: Any) -> None:
        """Tell what came of it."""
        self._tell("summary", **facts)

    def error(self, sentence: str, exit_code: int) -> None:
        """Tell why there is no summary."""
        self._tell("error", sentence=sentence, exit_code=exit_code)

    def close(self) -> None:
        """Leave what is shown as it is."""
        for reader in self._readers:
            with suppress(OSError):
                reader.close()

    def _tell(self, message_type: str, /, **fields: Any) -> None:
        time = datetime.now(UTC).isoformat(timespec="milliseconds")
        message = {"message_type": message_type, "time": time, **fields}
        now = monotonic()
        with self._lock:  # What is waited for is said by a thread of its own.
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


def counts_in_words(counts: Mapping[str, Any]) -> str:
    """Return the outcomes of a run so far, those that occur."""
    return ", ".join(
        f"{word} {counts[name]:,}" for name, word in _OUTCOMES.items() if counts.get(name)
    )


def in_words(message: Message) -> str:
    """Return *message* as a line for a person, without its time."""
    return one_line(_in_words(message))


def _in_words(message: Message) -> str:
    match message["message_type"]:
        case "note" | "error":
            return str(message["sentence"])
        case "failure":
            what = f"{message['kind']} {message['key']} ({message['stage']})"
            return f"failed: {what}: {message['reason']}"
        case "progress":
            words = counts_in_words(message["counts"])
            far = f"{message['stage']} {message['done']:,} of {message['total']:,}"
            eta = message["eta_seconds"]
            left = "" if eta is None else f"; about {duration(eta)} left"
            return f"{far}: {words}{left}" if words else f"{far}{left}"
        case kind:
            facts = {name: it for name, it in message.items() if name not in _HEAD}
            plain = {name: it for name, it in facts.items() if isinstance(it, str | int | float)}
            return f"{kind}: " + ", ".join(f"{name} {it}" for name, it in plain.items())


_HEAD = ("message_type", "time")
