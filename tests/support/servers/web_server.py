"""`open_server`: the server over a mirror, on a thread of the tests, and its root URL."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from queue import SimpleQueue

from database.db import DatabaseManager
from web.server import serve
from web.settings import ServerSettings


@contextmanager
def open_server(db: DatabaseManager, settings: ServerSettings | None = None) -> Iterator[str]:
    """Serve *db* on a free port of this machine until the block ends."""
    chosen = replace(settings or ServerSettings(connections=4), port=0)
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()
    roots: SimpleQueue[str] = SimpleQueue()
    serving = serve(db.url, chosen, opened=roots.put, stop=stop)
    thread = threading.Thread(target=loop.run_until_complete, args=(serving,), daemon=True)
    thread.start()
    try:
        yield roots.get(timeout=20)
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()
