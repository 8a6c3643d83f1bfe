"""Ctrl-C and its kin: the first asks for an orderly end, the second ends at once."""

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

from ingest.processes import kill_processes
from ingest.stop import GROUP_SIGNALS, Ending, Stop

#: How long an orderly end may take before it is forced, in seconds.
STOP_SECONDS = 9.5


class _Left(SystemExit):
    """A signal came while nothing was under way that has to be saved."""


@contextmanager
def leave_on_signals() -> Iterator[None]:
    """
    End the program at a signal, closing what is open; the second time at once.

    For the time before a run and after it; `stop_on_signals` takes over in between.
    """
    seen: set[int] = set()

    def handle(number: int, _frame: FrameType | None) -> None:
        if seen:
            leave_now(128 + number)
        seen.add(number)
        raise _Left(128 + number)

    with _handled_by(handle):
        try:
            yield
        except _Left as left:
            leave_now(int(str(left.code)))


@contextmanager
def stop_on_signals(release: Callable[[], None]) -> Iterator[Stop]:
    """
    Yield the wish to stop, which SIGINT, SIGTERM and a closed terminal set.

    An end that takes too long, or a second signal, ends the process and its children
    at once; *release* then gives back what would outlive them.
    """
    stop = Stop()

    def force() -> None:
        kill_processes()
        release()
        leave_now(stop.ending.exit_code)

    def handle(number: int, _frame: FrameType | None) -> None:
        if stop.is_set():
            force()
        stop.end(Ending("stopped by a signal", 128 + number))
        sys.stderr.write(
            "\nStopping: what is under way is being saved (10 s at the most). "
            "Once more stops at once.\n"
        )
        timer = threading.Timer(STOP_SECONDS, force)
        timer.daemon = True
        timer.start()

    with _handled_by(handle):
        yield stop


@contextmanager
def _handled_by(handle: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    before = {
        number: signal.signal(number, handle)
        for number in GROUP_SIGNALS
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_now(exit_code: int) -> NoReturn:
    """Exit without waiting for threads that still wait for an answer."""
    with suppress(BrokenPipeError):  # The reader has seen enough.
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)
