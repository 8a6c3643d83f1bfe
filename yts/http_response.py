"""`HttpResponse`: a response of HTTP/1, read from a socket before a deadline."""

import http.client
import io
import socket
from typing import Any

from yts.deadlines import Deadline
from yts.errors import YtsUnavailable

#: Interim responses (100 Continue, 103 Early Hints) that are skipped before the final one.
MAX_INTERIM = 20
#: Fields of a head, and bytes of each.
MAX_FIELDS = 100
MAX_FIELD_BYTES = 65_536
#: Digits of a Content-Length, far more than any response has bytes. Python reads 4,300 at most.
MAX_DIGITS = 18
#: Fields on which the end of the response depends: all their values count.
_ABOUT_THE_END = {"content-length", "transfer-encoding", "connection"}
_STATUSES_WITHOUT_BODY = {204, 304}


class HttpResponse(http.client.HTTPResponse):
    """
    A final response (never 1xx), read before the deadline.

    `http.client` reads the status and the body. Its parser of fields is made for mails, and takes
    two fifths of the time of a request, so this class reads the fields itself.
    """

    def __init__(self, deadline: Deadline, sock: socket.socket, **options: Any) -> None:
        """Read nothing yet."""
        super().__init__(_Socket(sock, deadline), **options)  # type: ignore[arg-type]
        self._deadline = deadline
        #: Names in lower case. Of a repeated field the first value counts.
        self.fields: dict[str, str] = {}

    def begin(self) -> None:
        """
        Read the head.

        Raises:
            OSError, http.client.HTTPException: it does not arrive, or is not valid.
            YtsUnavailable: over MAX_INTERIM interim responses.
        """
        self._deadline.expect_head()
        version, self.status, self.reason = self._read_status()
        if not version.startswith("HTTP/1."):
            raise http.client.UnknownProtocol(version)
        self.fields = self._read_fields()
        self._deadline.expect_body()
        self.chunked = self.fields.get("transfer-encoding", "").lower() == "chunked"
        self.chunk_left = None
        self.length = None if self.chunked else self._read_length()
        has_end = self.chunked or self.length is not None
        is_kept = "close" not in self.fields.get("connection", "").lower()
        self.will_close = not (has_end and is_kept and version == "HTTP/1.1")

    def _read_status(self) -> tuple[str, int, str]:
        for _ in range(MAX_INTERIM + 1):
            version, status, reason = super()._read_status()  # type: ignore[misc]
            if not 100 <= status < 200:
                return version, status, reason
            self._read_fields()
        raise YtsUnavailable(
            f"over {MAX_INTERIM} interim responses (1xx) came in place of a response"
        )

    def _read_fields(self) -> dict[str, str]:
        """Read the fields up to the empty line that ends the head."""
        fields: dict[str, str] = {}
        for _ in range(MAX_FIELDS + 1):
            line = self.fp.readline(MAX_FIELD_BYTES + 1)
            if len(line) > MAX_FIELD_BYTES:
                raise http.client.LineTooLong("a field of the head")
            if not line.endswith(b"\n"):
                raise http.client.IncompleteRead(line)
            if line in {b"\r\n", b"\n"}:
                return fields
            if line.startswith((b" ", b"\t")):  # A long value goes on; none of ours is long.
                continue
            name, _, value = line.decode("latin-1").partition(":")
            name, value = name.lower(), value.strip()
            known = fields.setdefault(name, value)
            if known != value and name in _ABOUT_THE_END:
                fields[name] = f"{known}, {value}"
        raise http.client.HTTPException(f"the head has over {MAX_FIELDS} fields")

    def _read_length(self) -> int | None:
        """Return the number of bytes of the body; None if it ends with the connection."""
        if self.status in _STATUSES_WITHOUT_BODY:
            return 0
        length = self.fields.get("content-length")
        if length is None:
            return None
        if len(length) > MAX_DIGITS or not (length.isascii() and length.isdecimal()):
            raise http.client.HTTPException("Content-Length is not one number")
        return int(length)

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
