"""
`Deadline`: the deadline of the request under way on a thread; `watch` makes connections obey it.

A socket timeout limits silence only: a server that sends single bytes could hold a thread without
end. Here every read gets the remaining time, so that neither a slow head, nor endless interim
responses, nor a slow body can take longer.
"""

import http.client
import io
from functools import partial
from time import monotonic
from typing import Any

from urllib3.connection import HTTPConnection

from yts.errors import YtsUnavailable

#: Interim responses (100 Continue, 103 Early Hints) that are skipped before the final one.
MAX_INTERIM = 20
#: After this number of kept connections in a row that the server had closed, none is kept.
MAX_STALE = 2


class Deadline:
    """
    The deadline of one request at a time on one thread, and the state of its connection.

    *silence_seconds* is the longest wait for bytes, and for the whole head.
    """

    def __init__(self, silence_seconds: float, response_seconds: float) -> None:
        """Set the limits; `start` starts the clock."""
        self._silence_seconds = silence_seconds
        self._response_seconds = response_seconds
        self._deadline = self._head_deadline = 0.0
        self._is_reused = False
        self._stale_in_row = 0
        #: Bytes of the response, its head included.
        self.bytes_read = 0

    def start(self) -> None:
        """Start the clock of the next request: connecting is part of the time."""
        self._deadline = monotonic() + self._response_seconds
        self._head_deadline = float("inf")
        self._is_reused = True
        self.bytes_read = 0

    def note_connect(self) -> None:
        """Note that the request uses a new connection."""
        self._is_reused = False

    def expect_head(self) -> None:
        """Start the time limit of the head, the same as that of silence."""
        self._head_deadline = monotonic() + self._silence_seconds

    def expect_body(self) -> None:
        """End the time limit of the head: it is complete."""
        self._head_deadline = float("inf")
        if self._is_reused:
            self._stale_in_row = 0

    def seconds_left(self) -> float:
        """
        Return the seconds that the next read may take.

        Raises:
            TimeoutError: no time is left.
        """
        left = min(self._deadline, self._head_deadline) - monotonic()
        if left <= 0:
            raise TimeoutError("the time for this response is over")
        return min(left, self._silence_seconds)

    @property
    def is_expired(self) -> bool:
        """Return whether the time for the whole response has passed."""
        return monotonic() >= self._deadline

    @property
    def is_head_slow(self) -> bool:
        """Return, after a timeout, whether a part of the head was received, but not all."""
        return self._head_deadline < float("inf") and self.bytes_read > 0

    @property
    def keeps_connections(self) -> bool:
        """Return whether connections are reused: not if the server closes each of them."""
        return self._stale_in_row < MAX_STALE

    def is_stale(self) -> bool:
        """Return, after an error, whether the server had closed a kept connection."""
        is_stale = self._is_reused and not self.bytes_read
        self._stale_in_row += is_stale
        return is_stale


class _Reader(io.RawIOBase):
    """The bytes of a response, read before the deadline."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._sock = sock
        self._raw = sock.makefile("rb", buffering=0)
        self._deadline = deadline

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        self._sock.settimeout(self._deadline.seconds_left())
        count: int | None = self._raw.readinto(buffer)
        self._deadline.bytes_read += count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()


class _Socket:
    """The part of a socket that `HTTPResponse` uses."""

    def __init__(self, sock: Any, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Reader(self._sock, self._deadline))


class _Response(http.client.HTTPResponse):
    """A final response (never 1xx), read before the deadline."""

    def __init__(self, deadline: Deadline, sock: Any, *args: Any, **options: Any) -> None:
        super().__init__(_Socket(sock, deadline), *args, **options)  # type: ignore[arg-type]
        self._deadline = deadline

    def begin(self) -> None:
        """Read the head."""
        self._deadline.expect_head()
        super().begin()
        self._deadline.expect_body()

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise YtsUnavailable(
            f"over {MAX_INTERIM} interim responses (1xx) came in place of a response"
        )


class _Watched(HTTPConnection):
    """Mixin for connections, also through proxies: notes connects, drops kept connections."""

    deadline: Deadline

    def connect(self) -> None:
        self.deadline.note_connect()
        super().connect()

    @property
    def is_connected(self) -> bool:
        return self.deadline.keeps_connections and super().is_connected


def watch(connection_class: type, deadline: Deadline) -> type:
    """Return a subclass of *connection_class* whose requests obey *deadline*."""
    if issubclass(connection_class, _Watched):
        return connection_class
    respond = staticmethod(partial(_Response, deadline))
    members = {"deadline": deadline, "response_class": respond}
    return type("WatchedConnection", (_Watched, connection_class), members)
