"""`time_command`: run a command of this repository, with its seconds, CPU seconds and memory."""

import ctypes
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

REPO = Path(__file__).resolve().parents[1]
_PR_SET_CHILD_SUBREAPER = 36


def time_command(
    arguments: Sequence[str],
    log: Path,
    folder: Path,
    follow: Callable[[int], object] | None = None,
) -> tuple[float, float, float, int]:
    """
    Return seconds, CPU seconds, the peak in MB and the exit code of a command.

    *follow* gets the process id as soon as there is one.
    """
    _adopt_orphans()
    with log.open("ab") as messages:
        started = time.perf_counter()
        process = subprocess.Popen(
            arguments,
            stdout=messages,
            stderr=messages,
            cwd=REPO,
            env={**os.environ, "TMPDIR": str(folder)},
            start_new_session=True,
        )
        if follow is not None:
            follow(process.pid)
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - started
        process.returncode = os.waitstatus_to_exitcode(status)
    cpu_seconds, peak = usage.ru_utime + usage.ru_stime, usage.ru_maxrss
    # Processes that run longer than the first one of their group count too.
    with suppress(ChildProcessError):
        while True:
            _, _, usage = os.wait4(-process.pid, 0)
            cpu_seconds += usage.ru_utime + usage.ru_stime
            peak = max(peak, usage.ru_maxrss)
    return seconds, cpu_seconds, peak / 1024, process.returncode


def _adopt_orphans() -> None:
    """Become the parent of orphaned processes of commands, to wait for them."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_CHILD_SUBREAPER, 1)
