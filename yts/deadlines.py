"""
`Deadline`: the deadline of the request under way on a thread, and the state of its connection.

A socket timeout limits silence only: a server that sends single bytes could hold a thread without
end. Here every read gets the remaining time, so that neither a slow head, nor endless interim
responses, nor a slow body can take longer.
"""

from time import monotonic

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
