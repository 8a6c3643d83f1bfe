"""`YtsClient`: any bytes over HTTP give a value or an error of `yts.errors`."""

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.data.examples import examples
from tests.support.data.yts_responses import a_movie, a_row, details_response, page_response
from tests.yts.responses.test_any_bytes import assert_storable_text
from yts.client import YtsClient
from yts.errors import MalformedMovie, YtsRefused, YtsUnavailable
from yts.payload import MoviePayload
from yts.responses import MoviePage
from yts.settings import ClientSettings

fuzz = examples(60)

#: Valid and invalid lines of a head.
_LINES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK",
        b"HTTP/1.1 302 Found",
        b"HTTP/1.1 429 Slow",
        b"HTTP/1.1 999999 \xff",
        b"HTTP/9.9 -1",
        b"ICY 200 OK",
        b"Content-Length: 0",
        b"Content-Length: -5",
        b"Content-Length: 1e9",
        b"Content-Length: 99999999999999999999999",
        b"Transfer-Encoding: chunked",
        b"Content-Encoding: gzip",
        b"Content-Encoding: br, zstd, gzip, deflate",
        b"Content-Encoding: deflate, " * 9,
        b"Content-Type: application/json; charset=utf-99\xff",
        b"Location: http://[::1",
        b"Location: //\xff\xfe:99999/",
        b"Location: ../../\x00",
        b"Location: " + b"a" * 70_000,
        b"Retry-After: 0 Jan 99999 99:99:99 +9999999",
        b"Retry-After: -1e400",
        b"Set-Cookie: a=\xff; expires=never; domain=.",
        b"Server: \x1b[2J\xff",
        b" folded",
        b"no colon",
        b": no name",
        b"\x00\x01",
        b"X: y\r\n" * 300,
    ]
) | st.binary(max_size=40)


class RawServer:
    """Sends the same bytes for every request, and closes the connection."""

    def __init__(self) -> None:
        self.response = b""
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}/api/v2"
        threading.Thread(target=self._serve, daemon=True).start()

    def close(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(5)
                connection.recv(65_536)
                connection.sendall(self.response)


@pytest.fixture(scope="module")
def raw() -> Iterator[RawServer]:
    """Yield a server of raw bytes."""
    server = RawServer()
    yield server
    server.close()


def whole_response(body: bytes, *lines: bytes) -> bytes:
    """Return a valid response with further header lines."""
    size = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 200 OK", b"Connection: close", size, *lines, b"", body])


WHOLE = [
    whole_response(page_response(a_row(1), a_row(2))),
    whole_response(details_response(a_movie(1))),
]


def ask_both_ways(url: str) -> None:
    """Fetch a page and details; suppress only errors of `yts.errors`."""
    client = YtsClient(ClientSettings(url, read_seconds=2, connect_seconds=2, attempts=1))
    try:
        assert isinstance(client.fetch_page(1, "asc"), MoviePage)
    except (YtsUnavailable, YtsRefused) as error:
        assert_storable_text(str(error))
    try:
        assert isinstance(client.fetch_details(1), MoviePayload | None)
    except (YtsUnavailable, YtsRefused, MalformedMovie) as error:
        assert_storable_text(str(error))
    client.close()


@fuzz
@given(st.sampled_from(WHOLE), st.integers(0, 2**32), st.integers(1, 6))
def test_damaged_bytes_give_a_value_or_a_yts_error(
    raw: RawServer, whole: bytes, seed: int, damages: int
):
    """
    Bytes of head and body are changed, cut, doubled, inserted or removed.
    """
    response, rng = bytearray(whole), random.Random(seed)
    for _ in range(damages):
        # Half of the damages are in the head, which is much shorter than the body.
        position = rng.randrange(rng.choice([min(60, len(response)), len(response)]) or 1)
        length = rng.choice([1, 1, 2, 30, 1000])
        action = rng.choice(["flip", "cut", "double", "in", "out"])
        if action == "flip" and response:
            response[position % len(response)] ^= 1 << rng.randrange(8)
        elif action == "cut":
            del response[max(position, 1) :]
        elif action == "double":
            response[position:position] = response[position : position + length]
        elif action == "in":
            response[position:position] = rng.randbytes(length)
        else:
            del response[position : position + length]
    raw.response = bytes(response)
    ask_both_ways(raw.url)


@fuzz
@given(st.lists(_LINES, max_size=5), st.binary(max_size=60), st.booleans())
def test_any_head_gives_a_value_or_a_yts_error(
    raw: RawServer, lines: list[bytes], rest: bytes, has_start: bool
):
    """
    Heads have invalid encodings, lengths and redirects.
    """
    if has_start:
        raw.response = whole_response(rest, *lines)
    else:
        raw.response = b"\r\n".join([*lines, b"", rest])
    ask_both_ways(raw.url)
