"""`announced_start`: says on a terminal that the embedded PostgreSQL is being started."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import URL

from console.terminal import fitted

#: A start that takes no longer than this is not worth a sentence.
SECONDS_OF_SILENCE = 1.0
_SENTENCE = "Starting the embedded PostgreSQL; the first time this takes about ten seconds.\n"


@contextmanager
def announced_start(url: URL | None) -> Iterator[None]:
    """
    Announce what the block does if it takes long; *url* None means the embedded server.

    Only on a terminal: there is nobody else who waits.
    """
    if url is not None or not sys.stderr.isatty():
        yield
        return
    sentence = fitted(_SENTENCE, sys.stderr)
    timer = threading.Timer(SECONDS_OF_SILENCE, sys.stderr.write, [sentence])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
