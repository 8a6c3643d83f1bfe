"""Ctrl-C and its kin: the first asks for an orderly end, the second ends at once."""

import multiprocessing
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from ingest.stop import Ending, Stop

#: How long an orderly end may take before it is forced, in seconds.
STOP_SECONDS = 9.5


@contextmanager
def stop_on_signals(release: Callable[[], None]) -> Iterator[Stop]:
    """
    Yield the wish to stop, which SIGINT, SIGTERM and a closed terminal set.

    An end that takes too long, or a second signal, ends the process and its children
    at once; *release* then gives back what would outlive them.
    """
    stop = Stop()

    def force() -> None:
        for child in multiprocessing.active_children():
            child.kill()
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

    before = {
        number: signal.signal(number, handle)
        for number in (signal.SIGINT, signal.SIGTERM, getattr(signal, "SIGHUP", signal.SIGTERM))
        if signal.getsignal(number) is not signal.SIG_IGN  # nohup
    }
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def leave_now(exit_code: int) -> None:
    """Exit without waiting for threads that still wait for an answer."""
    with suppress(BrokenPipeError):  # The reader has seen enough.
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)
