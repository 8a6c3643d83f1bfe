"""`MemoryWatch`: peak memory of a main process and its workers, read from /proc (Linux only)."""

import re
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

#: The kernel keeps the peak itself; only what a process adds just before its end is missed.
_SECONDS_BETWEEN_LOOKS = 0.1
_PROC = Path("/proc")


@dataclass(frozen=True, slots=True)
class Peaks:
    """The largest resident sets, including pages shared with other processes."""

    main_mb: float
    #: One for each worker, largest first.
    workers_mb: tuple[float, ...]


class MemoryWatch:
    """Reads the memory of one command while it runs."""

    def __init__(self) -> None:
        """Begin without a process."""
        self._ended = threading.Event()
        self._main: dict[int, float] = {}
        self._workers: dict[int, float] = {}
        self._thread: threading.Thread | None = None

    def follow(self, pid: int) -> None:
        """Watch the command with this process id, and its workers, until `end`."""
        self._thread = threading.Thread(target=self._look_again_and_again, args=(pid,))
        self._thread.start()

    def end(self) -> Peaks:
        """Return the peaks."""
        self._ended.set()
        if self._thread is not None:
            self._thread.join()
        workers = sorted(self._workers.values(), reverse=True)
        return Peaks(max(self._main.values(), default=0.0), tuple(workers))

    def _look_again_and_again(self, pid: int) -> None:
        while not self._ended.wait(_SECONDS_BETWEEN_LOOKS):
            _note_peak(self._main, pid)
            # Workers are the children of a server, which is a child of the main process.
            for child in _children(pid):
                for worker in _children(child):
                    _note_peak(self._workers, worker)


def _note_peak(peaks: dict[int, float], pid: int) -> None:
    with suppress(OSError):  # It has ended.
        status = (_PROC / str(pid) / "status").read_text()
        if found := re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE):
            peaks[pid] = int(found[1]) / 1024


def _children(pid: int) -> list[int]:
    with suppress(OSError):
        lists = (_PROC / str(pid) / "task").glob("*/children")
        return [int(child) for path in lists for child in path.read_text().split()]
    return []
