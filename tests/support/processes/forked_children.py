"""
`fork_children`: let multiprocessing fork its fork server instead of starting Python for it.

This server, which forks the worker processes of a fetch, spends a second of CPU on imports, which a
process of `tests.support.processes.fork_server` has made already. Everything else about it is real.
"""

import gc
import multiprocessing.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable

_start_python = multiprocessing.util.spawnv_passfds


def fork_children() -> None:
    """Replace the function by which multiprocessing starts Python in this process."""
    multiprocessing.util.spawnv_passfds = _fork


def _fork(path: str, arguments: list[str], passed: Iterable[int]) -> int:
    """Run the program of `python -c` in a fork of this process; return its process id."""
    passed = {*map(int, passed)}
    # Threads do not survive a fork, but the locks that they hold do.
    if "forkserver" not in arguments[-1] or threading.active_count() > 1:
        return int(_start_python(path, arguments, passed))
    sys.stdout.flush()
    sys.stderr.flush()
    pid = os.fork()
    if pid:
        return pid
    try:
        _forget_the_parent({0, 1, 2, *passed})
        exec(arguments[-1], {"__name__": "__main__"})
    except SystemExit:
        pass
    except BaseException:  # noqa: BLE001 -- nothing of the parent may run after this
        traceback.print_exc()
    finally:
        os._exit(0)


def _forget_the_parent(kept: set[int]) -> None:
    """Close the other files, and handle signals as a new process does."""
    # Nothing of the parent is freed, because that could use its closed files.
    gc.freeze()
    first = 0
    for descriptor in [*sorted(kept), os.sysconf("SC_OPEN_MAX")]:
        if first < descriptor:  # closerange(0, 0) would close all files.
            os.closerange(first, descriptor)
        first = descriptor + 1
    for number in signal.valid_signals():
        if callable(signal.getsignal(number)):
            signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
