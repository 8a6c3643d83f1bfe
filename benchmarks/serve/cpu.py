"""`CpuClock`, `resident_mb`: CPU time and memory of processes, from /proc (Linux only)."""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class CpuClock:
    """Adds up the CPU time of a process and of all below it."""

    pid: int

    def seconds(self) -> float:
        """Return user and system time so far, with children that have ended."""
        return sum(_cpu_seconds(pid) for pid in _tree(self.pid))


def resident_mb(pid: int) -> float:
    """Return the resident memory of a process."""
    pages = int((_PROC / str(pid) / "statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 2**20


def _cpu_seconds(pid: int) -> float:
    with suppress(OSError):  # It has ended; its parent has its time.
        # The name, in parentheses, can contain spaces.
        fields = (_PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
        return sum(map(int, fields[11:15])) / _TICKS
    return 0.0


def _tree(pid: int) -> list[int]:
    pids = [pid]
    with suppress(OSError):
        for children in (_PROC / str(pid) / "task").glob("*/children"):
            for child in children.read_text().split():
                pids += _tree(int(child))
    return pids
