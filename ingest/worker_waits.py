"""`relay_waits`: the main process says what worker processes wait for."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from database.bookkeeping.workers import read_workers
from database.db import DatabaseManager
from database.errors import DatabaseNotReady
from ingest.stop import Stopped

#: How a worker notes in its row that it waits; the message to the user begins with it.
WAITING = "Waiting for "
SECONDS_BETWEEN_LOOKS = 2.0


@contextmanager
def relay_waits(db: DatabaseManager, notice: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, give *notice* the sentences of workers that wait, each once."""
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

    threading.Thread(target=watch, name="workers' waits", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
