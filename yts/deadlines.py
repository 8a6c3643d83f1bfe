"""
`Deadline`: the deadline of the request under way on a thread; `watch` makes connections obey it.

A timeout of a socket is about silence only: a server that sends a byte now and then would be
waited for without end. Here every read gets what is left of the time, so neither a slow head,
nor interim responses without end, nor a slow body can hold a thread for longer.
"""

import http.client
import io
from functools import partial
from time import monotonic
from typing import Any

from urllib3.connection import HTTPConnection

from yts.errors import YtsUnavailable

#: Interim responses (100 Continue, 103 Early Hints) that are read past before the real one.
MAX_INTERIM = 20
#: Kept connections in a row that were closed without a response, until none is kept any more.
MAX_STALE = 2


class Deadline:
    """
    One request after another on one thread: deadline, and what became of the connection.

    *silence_seconds* is the longest wait for bytes, and for the whole head.
    """

    def __init__(self, silence_seconds: float, answer_seconds: float) -> None:
        """Nothing is under way yet."""
        self._silence_seconds = silence_seconds
        self._answer_seconds = answer_seconds
        self._deadline = self._head_deadline = 0.0
        self._is_reused = False
        self._stale_in_row = 0
        #: Bytes of the response, its head included.
        self.bytes_read = 0

    def begin(self) -> None:
        """Start the clock: connecting is part of the time."""
        self._deadline = monotonic() + self._answer_seconds
        self._head_deadline = float("inf")
        self._is_reused = True
        self.bytes_read = 0

    def note_connect(self) -> None:
        """Remember that the request has a connection of its own."""
        self._is_reused = False

    def expect_head(self) -> None:
        """From now on the head has as long as the server may be silent."""
        self._head_deadline = monotonic() + self._silence_seconds

    def expect_body(self) -> None:
        """The head is complete."""
        self._head_deadline = float("inf")
        if self._is_reused:
            self._stale_in_row = 0

    def seconds_left(self) -> float:
        """
        Return how long the next read may take.

        Raises:
            TimeoutError: the time is over.
        """
        left = min(self._deadline, self._head_deadline) - monotonic()
        if left <= 0:
            raise TimeoutError("the time for this response is over")
        return min(left, self._silence_seconds)

    @property
    def is_over(self) -> bool:
        """Return whether the time of the whole response is over."""
        return monotonic() >= self._deadline

    @property
    def is_head_slow(self) -> bool:
        """Return, after a timeout, whether only a part of the head had come."""
        return self._head_deadline < float("inf") and self.bytes_read > 0

    @property
    def keeps_connections(self) -> bool:
        """Return whether a connection is used again; not where the server closes each of them."""
        return self._stale_in_row < MAX_STALE

    def is_stale(self) -> bool:
        """Return, after an error, whether it was an old connection that the server had closed."""
        is_stale = self._is_reused and not self.bytes_read
        self._stale_in_row += is_stale
        return is_stale


class _Reader(io.RawIOBase):
    """The bytes of a response, read within the time of the exchange."""

    def __init__(self, sock: Any, exchange: Deadline) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._exchange = exchange

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._exchange.seconds_left())
        count: int | None = self._raw.readinto(buffer)
        self._exchange.bytes_read += count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """What a response needs of a socket."""

    def __init__(self, sock: Any, exchange: Deadline) -> None:
        self._sock = sock
        self._exchange = exchange

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._exchange))


class _Response(http.client.HTTPResponse):
    """A response whose bytes come within the time, and that is never an interim one."""

    def __init__(self, exchange: Deadline, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(_Socket(sock, exchange), *args, **options)  # type: ignore[arg-type]
        self._exchange = exchange

    def begin(self) -> None:
        """Read the head."""
        self._exchange.expect_head()
        super().begin()
        self._exchange.expect_body()

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise YtsUnavailable(
            f"over {MAX_INTERIM} interim responses (1xx) came in place of an answer"
        )


class _Watched(HTTPConnection):
    """What connections of all kinds, to hosts and through proxies, have in common here."""

    exchange: Deadline

    def connect(self) -> None:
        self.exchange.note_connect()
        super().connect()

    @property
    def is_connected(self) -> bool:
        return self.exchange.keeps_connections and super().is_connected


def watch(connection_class: type, exchange: Deadline) -> type:
    """Return a subclass of *connection_class* whose requests belong to *exchange*."""
    if issubclass(connection_class, _Watched):
        return connection_class
    respond = staticmethod(partial(_Response, exchange))
    members = {"exchange": exchange, "response_class": respond}
    return type("WatchedConnection", (_Watched, connection_class), members)
