"""Looking at the mirror again and again, without ever keeping Ctrl-C waiting."""

import threading
import time
from collections.abc import Iterator
from queue import Empty, SimpleQueue

from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from database.status import Status, read_status

#: After so long without an answer it is said that there is none.
PATIENCE_SECONDS = 15.0


def watch_status(
    db: DatabaseManager, interval_seconds: float
) -> Iterator[Status | DatabaseNotReady]:
    """
    Yield the status for ever, with a pause after each; where there is none, the reason.

    The database is asked from a thread: a driver that waits for a silent server is deaf
    to signals, but the main thread is not.
    """
    answers: SimpleQueue[Status | BaseException] = SimpleQueue()
    while True:
        threading.Thread(target=_ask, args=(db, answers), daemon=True).start()
        while (answer := _wait(answers)) is None:
            yield DatabaseNotReady(f"no answer for {PATIENCE_SECONDS:.0f} seconds.")
        if not isinstance(answer, Status | DatabaseNotReady):
            raise answer
        yield answer
        time.sleep(interval_seconds)


def _ask(db: DatabaseManager, answers: SimpleQueue[Status | BaseException]) -> None:
    try:
        answers.put(read_status(db))
    except BaseException as error:  # noqa: BLE001 -- told, or raised again, in the main thread
        answers.put(error)


def _wait(answers: SimpleQueue[Status | BaseException]) -> Status | BaseException | None:
    try:
        return answers.get(timeout=PATIENCE_SECONDS)
    except Empty:
        return None
