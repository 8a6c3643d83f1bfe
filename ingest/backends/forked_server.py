"""
`forked_servers`: let the fork server of `multiprocessing` be a fork of this process.

`multiprocessing` starts a new Python for it, which would import again what this process has already
imported, and needs as much memory.
"""

import gc
import multiprocessing.util
import os
import signal
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

_start_python = multiprocessing.util.spawnv_passfds


@contextmanager
def forked_servers() -> Iterator[None]:
    """Replace the function with which `multiprocessing` starts Python, while the block runs."""
    multiprocessing.util.spawnv_passfds = fork_server
    try:
        yield
    finally:
        multiprocessing.util.spawnv_passfds = _start_python


def fork_server(path: bytes, args: Sequence[Any], passfds: Iterable[int]) -> int:
    """
    Run the program of `python -c` in a fork of this process; return its process id.

    Other programs than a fork server start as usual. So does the server if this process has
    threads, because the locks that they hold would stay locked in the fork; and on other systems
    than Linux, whose libraries may refuse to work in a fork.
    """
    passed = {*map(int, passfds)}
    can_fork = sys.platform == "linux" and threading.active_count() == 1
    if not can_fork or "forkserver" not in args[-1]:
        return _start_python(path, args, [*passed])
    pid = os.fork()
    if pid:
        return pid
    try:
        _forget_parent({0, 1, 2, *passed})
        exec(args[-1], {"__name__": "__main__"})  # noqa: S102 -- written by multiprocessing
    except SystemExit:
        pass
    except BaseException:  # noqa: BLE001 -- nothing of the parent may run after this
        traceback.print_exc()
    finally:
        os._exit(0)


def _forget_parent(kept: set[int]) -> None:
    """Close all files except *kept*, and handle signals as a new process does."""
    # Objects of the parent are never freed, because that could use its closed files.
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
