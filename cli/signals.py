"""`leave_on_signals`, `stop_on_signals`: a signal ends a command in order, a second one at once."""

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from typing import NoReturn

from cli.display.terminal import fitted
from cli.display.text import printable
from database.connection.report_waits import report_waits
from database.connection.signal_handling import hear_signals
from database.connection.statements import cancel_statements
from ingest.bound_statements import statements_bound_by
from ingest.stop import Stopped, StopReason, StopRequest

#: Seconds that an orderly end may take before it is forced.
STOP_SECONDS = 9.5


class _Left(SystemExit):
    """A signal arrived while there was nothing to save."""


class _Leaver:
    """Ends the program by an exception at the first signal, and at once at the second one."""

    def __init__(self, exit_codes: Mapping[int, int]) -> None:
        self._exit_codes = exit_codes
        self._is_interrupted = False
        self.leaving = threading.Event()

    def hear(self, number: int) -> None:
        exit_code = self._code_of(number)
        if self.leaving.is_set():
            os._exit(exit_code)
        self.leaving.set()
        _start_timer(lambda: os._exit(exit_code))

    def interrupt(self, number: int) -> None:
        if not self._is_interrupted:
            self._is_interrupted = True
            raise _Left(self._code_of(number))

    def _code_of(self, number: int) -> int:
        return self._exit_codes.get(number, 128 + number)


def say_on_stderr(message: str) -> None:
    """Write *message* as a line to stderr, if stderr is open."""
    with suppress(OSError, ValueError):
        sys.stderr.write(f"{fitted(printable(message), sys.stderr)}\n")
        sys.stderr.flush()


def say_nothing(_message: str) -> None:
    """Write nothing."""


@contextmanager
def leave_on_signals(
    exit_codes: Mapping[int, int] | None = None, *, say: Callable[[str], None] = say_on_stderr
) -> Iterator[None]:
    """
    End the program at a signal, closing what is open; the second time at once.

    *say* is called from another thread with messages about waits. The exit code is 128 + the number
    of the signal, unless *exit_codes* has another one. A fetch uses this before and after its run,
    and `stop_on_signals` during the run.
    """
    leaver = _Leaver(exit_codes or {})
    with (
        report_waits(say),
        statements_bound_by(leaver.leaving),
        hear_signals(leaver.hear, interrupt=leaver.interrupt),
    ):
        try:
            yield
        except _Left as left:
            cancel_statements()  # Cancel the statements of other threads.
            # Do not flush stdout: the program may have been waiting for its reader.
            with suppress(OSError):
                sys.stderr.flush()
            os._exit(int(str(left.code)))


@contextmanager
def stop_on_signals(release: Callable[[], None]) -> Iterator[StopRequest]:
    """
    Yield the stop request, which SIGINT, SIGTERM and SIGHUP (a closed terminal) set.

    If the end takes too long, or at a second signal, the process ends at once; *release* then ends
    its children, and frees resources that would outlive it.
    """
    stop = StopRequest()
    is_heard = False

    def force() -> None:
        release()
        os._exit(stop.reason.exit_code)

    def hear(number: int) -> None:
        nonlocal is_heard
        if is_heard:
            force()
        is_heard = True
        stop.end(StopReason("stopped by a signal", 128 + number))
        with suppress(OSError, ValueError):
            sys.stderr.write("\n")  # The line may have a progress bar.
        say_on_stderr("Stopping: what is under way is being saved (at most 10 s).")
        say_on_stderr("A second signal stops at once.")
        _start_timer(force)

    with statements_bound_by(stop), hear_signals(hear):
        try:
            yield stop
        except Stopped:  # The run had not begun.
            sys.stderr.write(f"Ended early: {stop.reason.reason}.\n")
            exit_now(stop.reason.exit_code)


def _start_timer(force: Callable[[], None]) -> None:
    timer = threading.Timer(STOP_SECONDS, force)
    timer.daemon = True
    timer.start()


def exit_now(exit_code: int) -> NoReturn:
    """Exit at once: wait for no thread that still waits for a response, and free no memory."""
    with suppress(BrokenPipeError):  # The reader has closed the pipe.
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(exit_code)
