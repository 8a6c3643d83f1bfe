"""Why a run ends before its work is done, and the wish that it should."""

import signal
import threading
from dataclasses import dataclass

EXIT_DONE = 0
EXIT_FATAL = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3
EXIT_UNAVAILABLE = 4
EXIT_NOT_READY = 5
EXIT_GUARD = 6
EXIT_LIMIT = 7
EXIT_LOCKED = 11

#: What a terminal, or who ends a service, sends to every process: the main process decides.
GROUP_SIGNALS = tuple(
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)
#: What the main process sends to its workers to ask them for an orderly end.
STOP_SIGNAL = getattr(signal, "SIGUSR1", signal.SIGTERM)


class Stopped(Exception):
    """The run is being stopped: leave at once, having tried nothing."""


@dataclass(frozen=True, slots=True)
class Ending:
    """Why there is no point in going on, for a person, and the exit code that says so."""

    reason: str
    exit_code: int


class Stop(threading.Event):
    """Set once somebody wants the run to end; whoever sleeps waits on it."""

    #: The signal that is meant unless told otherwise: Ctrl-C.
    ending = Ending("stopped by a signal", 130)

    def end(self, ending: Ending) -> None:
        """Wish for this end; the first wish counts."""
        if not self.is_set():
            self.ending = ending
            self.set()

    def sleep(self, seconds: float) -> None:
        """
        Sleep, or wake at once when the run is to end.

        Raises:
            Stopped: the run is to end.
        """
        if self.wait(seconds):
            raise Stopped
