"""Looking at the mirror again and again, without ever keeping Ctrl-C waiting."""

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.monitoring.status import Status, read_status

#: After so long without an answer it is said that there is none.
PATIENCE_SECONDS = 15.0

Answer = TypeVar("Answer")


def watch_status(
    db: DatabaseManager, interval_seconds: float
) -> Iterator[Status | DatabaseNotReady]:
    """Yield the status for ever, with a pause after each; where there is none, the reason."""
    while True:
        yield from _ask(db, read_status)
        time.sleep(interval_seconds)


def look_once(db: DatabaseManager, read: Callable[[DatabaseManager], Answer]) -> Answer:
    """
    Return what *read* reads.

    Raises:
        DatabaseNotReady: there is nothing to be read, or no answer.
    """
    answer = next(_ask(db, read))
    if isinstance(answer, DatabaseNotReady):
        raise answer
    return answer


def _ask(
    db: DatabaseManager, read: Callable[[DatabaseManager], Answer]
) -> Iterator[Answer | DatabaseNotReady]:
    """
    Yield what *read* reads; before that, now and then, that there is no answer yet.

    The database is asked from a thread: a driver that waits for a silent server is deaf
    to signals, but the main thread is not.
    """
    answer: Future[Answer] = Future()
    threading.Thread(target=_answer, args=(answer, db, read), daemon=True).start()
    while not wait([answer], PATIENCE_SECONDS).done:
        yield DatabaseNotReady(f"no answer for {PATIENCE_SECONDS:.0f} seconds.")
    error = answer.exception()
    yield error if isinstance(error, DatabaseNotReady) else answer.result()


def _answer(
    answer: Future[Answer], db: DatabaseManager, read: Callable[[DatabaseManager], Answer]
) -> None:
    try:
        answer.set_result(read(db))
    except BaseException as error:  # noqa: BLE001 -- told, or raised again, in the main thread
        answer.set_exception(error)
