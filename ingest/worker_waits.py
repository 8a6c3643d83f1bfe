"""`relay_waits`: the main process reports what worker processes wait for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from database.bookkeeping.workers import read_workers
from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from ingest.stop import Stopped

#: Beginning of the activity of a waiting worker in its row, and of the message to the user.
WAITING = "Waiting for "
SECONDS_BETWEEN_LOOKS = 2.0
#: Longest wait, at the end of a run, for a look that has begun: it may wait for PostgreSQL.
SECONDS_TO_END = 1.0


@contextmanager
def relay_waits(db: DatabaseManager, notice: Callable[[str], None]) -> Iterator[None]:
    """
    While the block runs, call *notice* with the message of each waiting worker, once each.

    At the end, wait until the thread that reads the waits has returned its connection to the pool:
    `DatabaseManager.close_all` does not close connections that are in use.
    """
    ended = threading.Event()

    def watch() -> None:
        reported: set[str] = set()
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            with suppress(DatabaseNotReady, Stopped):
                workers = db.run_transaction(read_workers, patience_seconds=0)
                waits = {worker.doing for worker in workers if worker.doing.startswith(WAITING)}
                for message in sorted(waits - reported):
                    notice(message)
                reported = waits

    thread = threading.Thread(target=watch, name="workers' waits", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join(SECONDS_TO_END)
