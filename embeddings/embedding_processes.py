"""`open_processes`: an executor of processes that ignore signals and end with their parent."""

import errno
import multiprocessing
import os
import signal
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor

from database.connection.parent_process import leave_with_parent
from embeddings.errors import NoProcesses


def open_processes(
    count: int, start: Callable[..., object], *arguments: object
) -> ProcessPoolExecutor:
    """
    Return an executor of *count* processes, in each of which *start* runs first.

    Raises:
        NoProcesses: the system refuses the locks that the processes share.
    """
    try:
        return ProcessPoolExecutor(
            count,
            mp_context=multiprocessing.get_context("spawn"),
            initializer=_start_process,
            initargs=(start, arguments),
        )
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            raise
        raise NoProcesses(
            "Processes that make vectors cannot start, because /dev/shm takes no locks "
            f"({error.strerror or error}). This process makes them instead. "
            "Make /dev/shm writable and larger, or use --workers 1."
        ) from error


def _start_process(start: Callable[..., object], arguments: tuple[object, ...]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    leave_with_parent()
    # One thread for each process, because there is already one process for each core.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    start(*arguments)
