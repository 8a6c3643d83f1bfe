"""
`Deadline`: the deadline of the request under way on a thread; `Response` is read before it.

A socket timeout limits silence only: a server that sends single bytes could hold a thread without
end. Here every read gets the remaining time, so that neither a slow head, nor endless interim
responses, nor a slow body can take longer.
"""

import http.client
import io
import socket
from time import monotonic
from typing import Any

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
        self._is_reused = False
        self.bytes_read = 0

    def note_reuse(self) -> None:
        """Note that the request uses a kept connection."""
        self._is_reused = True

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
    def overrun(self) -> str | None:
        """Return, after a timeout, which time limit has passed; None if no byte came."""
        if monotonic() >= self._deadline:
            return f"the response took over {self._response_seconds:g} s"
        if self._head_deadline < float("inf") and self.bytes_read > 0:
            return f"the head of the response took over {self._silence_seconds:g} s"
        return None

    @property
    def keeps_connections(self) -> bool:
        """Return whether connections are reused: not if the server closes each of them."""
        return self._stale_in_row < MAX_STALE

    def is_stale(self, error: Exception) -> bool:
        """Return whether *error* means that the server had closed a kept connection."""
        is_broken = isinstance(error, OSError) and not isinstance(error, TimeoutError)
        is_stale = is_broken and self._is_reused and not self.bytes_read
        self._stale_in_row += is_stale
        return is_stale


class Response(http.client.HTTPResponse):
    """A final response (never 1xx), read before the deadline."""

    def __init__(self, deadline: Deadline, sock: socket.socket, **options: Any) -> None:
        """Read nothing yet."""
        super().__init__(_Socket(sock, deadline), **options)  # type: ignore[arg-type]
        self._deadline = deadline

    def begin(self) -> None:
        """
        Read the head.

        Raises:
            OSError, http.client.HTTPException: it does not arrive, or is not valid.
            YtsUnavailable: over MAX_INTERIM interim responses.
        """
        self._deadline.expect_head()
        super().begin()
        self._deadline.expect_body()
        lengths = set(self.headers.get_all("Content-Length", ()))
        if not self.chunked and lengths and (self.length is None or len(lengths) > 1):
            raise http.client.HTTPException("Content-Length is not one number")

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            http.client.parse_headers(self.fp)
        raise YtsUnavailable(
            f"over {MAX_INTERIM} interim responses (1xx) came in place of a response"
        )

    def _read_next_chunk_size(self) -> int:
        size: int = super()._read_next_chunk_size()  # type: ignore[misc]
        if size < 0:  # It would read to the end of the connection.
            raise http.client.HTTPException("the size of a chunk is negative")
        return size


class _Socket(io.RawIOBase):
    """The part of a socket that `HTTPResponse` uses: bytes, received before the deadline."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self._sock = sock
        self._deadline = deadline

    def makefile(self, _mode: str) -> io.BufferedReader:
        return io.BufferedReader(self)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        self._sock.settimeout(self._deadline.seconds_left())
        count = self._sock.recv_into(buffer)
        self._deadline.bytes_read += count
        return count
