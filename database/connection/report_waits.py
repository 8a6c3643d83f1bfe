"""`report_waits`: report what this process waits for when it takes long."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from time import monotonic

from sqlalchemy import URL, NullPool, create_engine, text
from sqlalchemy.exc import DBAPIError

from database.connection.statements import statements_under_way
from database.connection.waits import SECONDS_UNTIL_SAID, long_waits

#: The same message, for example from several threads, is not reported twice in this time.
SECONDS_BETWEEN_SAME = 30.0
SECONDS_BETWEEN_LOOKS = 0.5
#: Longest time to ask PostgreSQL what a statement waits for, in seconds.
SECONDS_TO_EXPLAIN = 2.0

_HELD_BY = text("""
    SELECT (SELECT relation::regclass::text FROM pg_locks
            WHERE pid = waiting.pid AND NOT granted AND relation IS NOT NULL LIMIT 1),
        (SELECT min(format('process %s, %s', pid, coalesce(nullif(application_name, ''), state)))
            FROM pg_stat_activity WHERE pid = ANY (pg_blocking_pids(waiting.pid)))
    FROM pg_stat_activity waiting WHERE pid = :pid AND wait_event_type = 'Lock'
    """)


@contextmanager
def report_waits(say: Callable[[str], None]) -> Iterator[None]:
    """While the block runs, call *say* with what this process waits for, from another thread."""
    ended = threading.Event()

    def watch() -> None:
        reporter = _Reporter(say)
        while not ended.wait(SECONDS_BETWEEN_LOOKS):
            reporter.look()

    threading.Thread(target=watch, name="waits", daemon=True).start()
    try:
        yield
    finally:
        ended.set()


class _Reporter:
    def __init__(self, say: Callable[[str], None]) -> None:
        self._say = say
        self._said: set[object] = set()
        self._said_at: dict[str, float] = {}

    def look(self) -> None:
        """Report the waits that have become long since the last check."""
        now = monotonic()
        latest = now - SECONDS_UNTIL_SAID
        waits = long_waits(now)
        statements = {
            (id(cursor), began): cursor
            for cursor, began in statements_under_way()
            if began <= latest
        }
        for key, what in waits.items():
            if key not in self._said:
                self._say_once(f"Waiting for {what}.")
        for statement, cursor in statements.items():
            if statement not in self._said and not cursor.connection.closed:
                pid = cursor.connection.get_backend_pid()
                self._say_once(f"Waiting for PostgreSQL: {_explain_patiently(cursor.url, pid)}.")
        self._said = {*waits, *statements}

    def _say_once(self, message: str) -> None:
        now = monotonic()
        if now - self._said_at.get(message, float("-inf")) > SECONDS_BETWEEN_SAME:
            self._said_at[message] = now
            self._say(message)


def _explain_patiently(url: URL | None, pid: int) -> str:
    """Return what a statement waits for, without waiting long for PostgreSQL's response."""
    explanations = ["it does not answer"]
    thread = threading.Thread(target=lambda: explanations.append(_explain(url, pid)), daemon=True)
    thread.start()
    thread.join(SECONDS_TO_EXPLAIN)
    return explanations[-1]


def _explain(url: URL | None, pid: int) -> str:
    if url is not None:
        engine = create_engine(url, poolclass=NullPool)
        with suppress(DBAPIError), engine.connect() as connection:
            row = connection.execute(_HELD_BY, {"pid": pid}).one_or_none()
            if row is not None:
                where = f" on {row[0]}" if row[0] else ""
                holder = f" ({row[1]})" if row[1] else ""
                return f"another session{holder} holds a lock{where}"
    return "a statement takes long"
