"""`statements_bound_by`: cancel SQL statements that still run a moment after a stop request."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from database.connection.statements import cancel_statements
from ingest.stop import SECONDS_BETWEEN_LOOKS

#: Seconds that a statement may take after a stop request; longer ones wait for the lock of another
#: session.
STATEMENT_SECONDS = 2.5


@contextmanager
def statements_bound_by(stop: threading.Event) -> Iterator[None]:
    """Cancel statements of this process that still wait a moment after *stop* was set."""
    ended = threading.Event()

    def watch() -> None:
        stop.wait()
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            cancel_statements(older_than_seconds=STATEMENT_SECONDS)

    threading.Thread(target=watch, name="statements", daemon=True).start()
    try:
        yield
    finally:
        ended.set()
