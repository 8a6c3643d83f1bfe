"""A wish to end early, with the exit code that goes with it."""

import threading


class Stop(threading.Event):
    """Set once somebody wants the run to end; whoever sleeps waits on it."""

    #: 128 plus the number of the signal: SIGINT unless told otherwise.
    exit_code: int = 130
