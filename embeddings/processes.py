"""Processes that make vectors: they ignore signals meant for all, and leave with their parent."""

import errno
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.connection import wait

from embeddings.errors import NoProcesses


def open_processes(
    count: int, start: Callable[..., object], *arguments: object
) -> ProcessPoolExecutor:
    """
    Return an executor of *count* processes, in each of which *start* runs first.

    Raises:
        NoProcesses: the system refuses the locks that they share.
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
            "No processes can start to make vectors, because /dev/shm takes no locks "
            f"({error.strerror or error}). This process makes them. Make /dev/shm writable and "
            "larger, or use --workers 1."
        ) from error


def _start_process(start: Callable[..., object], arguments: tuple[object, ...]) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    # One thread for each process: the processes are as many as cores already.
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    start(*arguments)


def _leave_with_parent() -> None:
    parent = multiprocessing.parent_process()
    if parent is not None:
        wait([parent.sentinel])
        os._exit(1)
