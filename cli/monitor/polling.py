"""`watch_status` and `look_once`: read from the database without delaying Ctrl-C."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

from database.errors import DatabaseNotReady
from database.monitoring.status import Status, read_status
from database.sessions import Database

#: After this time without a response, the monitor reports that there is none.
PATIENCE_SECONDS = 15.0

Result = TypeVar("Result")


def watch_status(db: Database, interval_seconds: float) -> Iterator[Status | DatabaseNotReady]:
    """Yield the status, or the error that prevents it, repeatedly, with a pause after each."""
    while True:
        yield from _read(db, read_status)
        time.sleep(interval_seconds)


def look_once(db: Database, read: Callable[[Database], Result]) -> Result:
    """
    Return the result of *read*.

    Raises:
        DatabaseNotReady: nothing can be read, or the database does not respond.
    """
    result = next(_read(db, read))
    if isinstance(result, DatabaseNotReady):
        raise result
    return result


def _read(db: Database, read: Callable[[Database], Result]) -> Iterator[Result | DatabaseNotReady]:
    """
    Yield the result of *read*; before that, from time to time, an error if there is none yet.

    A thread reads: while the driver waits for a silent server, Python handles no signals in
    that thread, but the main thread does.
    """
    future: Future[Result] = Future()
    threading.Thread(target=_run, args=(future, db, read), daemon=True).start()
    while not wait([future], PATIENCE_SECONDS).done:
        yield DatabaseNotReady(f"no response for {PATIENCE_SECONDS:.0f} seconds.")
    error = future.exception()
    yield error if isinstance(error, DatabaseNotReady) else future.result()


def _run(future: Future[Result], db: Database, read: Callable[[Database], Result]) -> None:
    try:
        future.set_result(read(db))
    except BaseException as error:  # noqa: BLE001 -- yielded, or raised again, in the main thread
        future.set_exception(error)
