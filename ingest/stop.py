"""Why a run ends before its work is done, and the wish that it should."""

import threading
from dataclasses import dataclass

EXIT_DONE = 0
EXIT_FATAL = 1
EXIT_USAGE = 2
EXIT_SOME_FAILED = 3
EXIT_UNAVAILABLE = 4
EXIT_DATABASE = 5
EXIT_GUARD = 6
EXIT_LIMIT = 7


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
