"""
`ProcessBackend`: runs batches in processes, forked from a server with all imports done.

A new Python process would spend most of a second on imports, and a fork of the main process would
share its database connections. The server is a fork from before these are opened. It has neither
threads nor connections, and exits when the main process ends, also if that is killed.
"""

import errno
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from pathlib import Path

from database.connection.parent_process import leave_with_parent
from database.connection.signal_handling import signals_held
from ingest.backends.base import WorkerDied
from ingest.backends.forked_server import forked_servers
from ingest.plan import Batch
from ingest.report import BatchReport
from ingest.stop import STOP_SIGNAL

#: Without fork servers, each process starts a new Python.
_HAS_SERVER = "forkserver" in multiprocessing.get_all_start_methods()


class NoLocks(OSError):
    """The system refuses the locks that processes share; they are in /dev/shm."""


def warm_up() -> None:
    """Start the server, if possible as a fork of this process; otherwise it imports all again."""
    if not _HAS_SERVER:
        return
    from multiprocessing import forkserver, resource_tracker  # noqa: PLC0415 -- only where it is

    multiprocessing.set_forkserver_preload(["ingest.worker.worker"])
    with _changed_environment(PYTHONWARNINGS="ignore"):
        # Start it here, because starting it would unblock the signals that are held. It removes
        # semaphores of processes that were killed; the user needs no warning of that.
        resource_tracker.ensure_running()
    # The server and its workers keep them blocked; otherwise Ctrl-C would end a process that is
    # starting with a traceback.
    with signals_held(STOP_SIGNAL), _found_by_new_processes(), forked_servers():
        forkserver.ensure_running()


class ProcessBackend:
    """*count* worker processes of this machine; they are used until one of them dies."""

    dies_as_one = True

    def __init__(
        self, count: int, start: Callable[[], object], run: Callable[[Batch], BatchReport]
    ) -> None:
        """
        Start no process yet.

        *start* runs once in each new process, *run* for each batch; their arguments are plain
        values.
        """
        self.capacity = count
        self._start = start
        self._run = run
        self._executor: ProcessPoolExecutor | None = None

    def submit(self, batch: Batch) -> Future[BatchReport]:
        """
        Run *batch* on the first free worker.

        Raises:
            WorkerDied: a process, or the server that forks them, died between two batches.
        """
        if self._executor is None:
            self._executor = open_processes(self.capacity, self._start)
        try:
            return self._executor.submit(self._run, batch)
        except (BrokenProcessPool, ConnectionError, EOFError) as error:
            self.close()
            raise WorkerDied from error

    def read(self, future: Future[BatchReport]) -> BatchReport:
        """
        Return the report of a batch that has ended.

        Raises:
            WorkerDied: the process of this batch, or of another batch, died.
        """
        try:
            return future.result()
        except BrokenProcessPool as error:
            raise WorkerDied from error

    def ask_to_stop(self) -> bool:
        """Ask every process to end in order."""
        for child in multiprocessing.active_children():
            with suppress(ProcessLookupError):
                os.kill(child.pid or 0, STOP_SIGNAL)
        return True

    def close(self) -> None:
        """End the processes, finished or not; later batches get new processes."""
        if self._executor is None:
            return
        # Do not wait for them: a process that was killed may have held the lock of the queue, and
        # then the others never receive the request to end.
        kill_processes()
        self._executor.shutdown(cancel_futures=True)
        self._executor = None


def open_processes(count: int, start: Callable[[], object]) -> ProcessPoolExecutor:
    """
    Return an executor of *count* processes, in each of which *start* runs first.

    Raises:
        NoLocks: processes cannot be started.
    """
    warm_up()
    return _open_executor(count, start)


def find_obstacle(count: int) -> str | None:
    """Return why *count* processes cannot share locks, or None if they can; starts no process."""
    warm_up()
    try:
        _open_executor(count, dict).shutdown()
    except NoLocks as error:
        return error.strerror or str(error)
    return None


def _open_executor(count: int, start: Callable[[], object]) -> ProcessPoolExecutor:
    context = multiprocessing.get_context("forkserver" if _HAS_SERVER else "spawn")
    try:
        return ProcessPoolExecutor(
            count, mp_context=context, initializer=_start_process, initargs=(start,)
        )
    except OSError as error:
        if error.errno in {errno.EMFILE, errno.ENFILE}:
            raise
        # The locks are in shared memory, which the error does not name.
        raise NoLocks(error.errno, error.strerror, "/dev/shm") from error  # noqa: S108


def kill_processes() -> None:
    """End every process at once."""
    for child in multiprocessing.active_children():
        child.kill()


@contextmanager
def _found_by_new_processes() -> Iterator[None]:
    """Let the server import our modules, and not others of these names in the working directory."""
    root = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    with _changed_environment(PYTHONPATH=path, PYTHONSAFEPATH="1"):
        yield


@contextmanager
def _changed_environment(**variables: str) -> Iterator[None]:
    before = {name: os.environ[name] for name in variables if name in os.environ}
    os.environ.update(variables)
    try:
        yield
    finally:
        for name in variables:
            del os.environ[name]
        os.environ.update(before)


def _start_process(start: Callable[[], object]) -> None:
    leave_with_parent()
    start()
    if _HAS_SERVER:  # From here on, this process understands the request to stop.
        signal.pthread_sigmask(signal.SIG_UNBLOCK, [STOP_SIGNAL])
