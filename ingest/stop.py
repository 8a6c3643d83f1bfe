"""`StopRequest`: ends a run early with a reason, and wakes everything that waits."""

import signal
import threading
from collections.abc import Callable
from concurrent.futures import Future, wait
from dataclasses import dataclass
from typing import TypeVar

from ingest.exit_codes import ExitCode

#: The signal with which the main process asks workers to end in order.
STOP_SIGNAL = getattr(signal, "SIGUSR1", signal.SIGTERM)
SECONDS_BETWEEN_LOOKS = 0.25

Result = TypeVar("Result")


class Stopped(Exception):
    """The run is being stopped: return at once, without another attempt."""


@dataclass(frozen=True, slots=True)
class StopReason:
    """Why a run ends early: a message for the user, and the exit code."""

    reason: str
    exit_code: int


class StopRequest(threading.Event):
    """An event that is set when the run has to end; everything that sleeps waits for it."""

    #: The default is Ctrl-C.
    reason = StopReason("stopped by a signal", ExitCode.INTERRUPTED)
    _timer: threading.Timer | None = None

    def end(self, reason: StopReason) -> None:
        """Request an end for this reason; only the first request counts."""
        if not self.is_set():
            self.reason = reason
            self.set()

    def end_after(self, seconds: float | None) -> None:
        """Request an end after *seconds*, also during a wait; only the first call counts."""
        if seconds is None or self._timer is not None:
            return
        reason = StopReason("the time of --max-duration is over", ExitCode.LIMIT)
        self._timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), self.end, [reason])
        self._timer.daemon = True
        self._timer.start()

    def sleep(self, seconds: float) -> None:
        """
        Sleep, or wake at once when the run has to end.

        Raises:
            Stopped: the run is to end.
        """
        if self.wait(seconds):
            raise Stopped

    def call(self, work: Callable[[], Result]) -> Result:
        """
        Return the result of *work*; when the run has to end, do not wait for its thread.

        Raises:
            Stopped: the run is to end.
        """
        done = Future[Result]()

        def run() -> None:
            try:
                done.set_result(work())
            except BaseException as error:  # noqa: BLE001 -- it is raised where it is awaited
                done.set_exception(error)

        threading.Thread(target=run, daemon=True).start()
        while not wait([done], timeout=SECONDS_BETWEEN_LOOKS).done:
            self.sleep(0)
        return done.result()
