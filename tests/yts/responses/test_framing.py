"""`HttpResponse`: where a response ends, by its length, its chunks or the end of the connection."""

import gzip
import socket

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.client_fixtures import MakeClient
from tests.support.servers.raw_server import open_raw, read_request, whole_response
from tests.support.waiting import soon
from yts.errors import YtsUnavailable

BODY = page_response(a_row(5))
PAGE = whole_response(BODY)
HALF = len(BODY) // 2
OK = b"HTTP/1.1 200 OK\r\n"
CHUNKED = OK + b"Transfer-Encoding: chunked\r\n"
CHUNKS = b"%x;a=b\r\n%s\r\n%x\r\n%s\r\n0\r\nX: y\r\n\r\n" % (
    *(HALF, BODY[:HALF]),
    *(len(BODY) - HALF, BODY[HALF:]),
)
UNZIPPED = b"Content-Encoding: gzip"
ZIPPED = gzip.compress(BODY)

#: Responses, and whether the connection can be used again.
VALID: dict[str, tuple[bytes, bool]] = {
    "lines end with LF": (PAGE.replace(b"\r\n", b"\n"), True),
    "names in any case": (PAGE.replace(b"Content-Length", b"cONTENT-lENGTH"), True),
    "a field in several lines": (
        whole_response(BODY, b"X: a\r\n \r\n\tContent-Length: 3"),
        True,
    ),
    "a field that has several values": (whole_response(BODY, b"Server: a", b"Server: b"), True),
    "no reason": (PAGE.replace(b"200 OK", b"200"), True),
    "the length twice": (whole_response(BODY, b"Content-Length: %d" % len(BODY)), True),
    "chunks with extensions and a trailer": (CHUNKED + b"\r\n" + CHUNKS, True),
    "chunks and a length": (CHUNKED + b"Content-Length: 3\r\n\r\n" + CHUNKS, True),
    "to the end": (OK + b"Connection: close\r\n\r\n" + BODY, False),
    "HTTP/1.0": (b"HTTP/1.0 200 OK\r\n\r\n" + BODY, False),
    "gzip in chunks": (
        CHUNKED + UNZIPPED + b"\r\n\r\n%x\r\n%s\r\n0\r\n\r\n" % (len(ZIPPED), ZIPPED),
        True,
    ),
    "gzip to the end": (OK + b"Connection: close\r\n" + UNZIPPED + b"\r\n\r\n" + ZIPPED, False),
    "gzip in two parts": (
        whole_response(gzip.compress(BODY[:HALF]) + gzip.compress(BODY[HALF:]), UNZIPPED),
        True,
    ),
}

INVALID: dict[str, bytes] = {
    "two lengths": whole_response(BODY, b"Content-Length: 7"),
    "a length that is not a number": OK + b"Content-Length: many\r\n\r\n" + BODY,
    "a length of too many digits": OK + b"Content-Length: " + b"9" * 5000 + b"\r\n\r\n" + BODY,
    "a negative length": OK + b"Content-Length: -1\r\n\r\n" + BODY,
    "a chunk of negative size": CHUNKED + b"\r\n-1\r\n" + BODY,
    "a chunk without size": CHUNKED + b"\r\n\r\n" + BODY,
    "gzip that is damaged": whole_response(ZIPPED[:-8] + b"12345678", UNZIPPED),
    "gzip that is cut": whole_response(ZIPPED[:-20], UNZIPPED),
    "a head of too many fields": OK + b"X: y\r\n" * 101 + b"\r\n" + BODY,
    "a field that is too long": OK + b"X: " + b"y" * 65_536 + b"\r\n\r\n" + BODY,
    "another protocol": b"\x00\x01\x02\r\n\r\n",
    "another version of the protocol": PAGE.replace(b"HTTP/1.1", b"HTTP/2"),
}


@pytest.mark.parametrize("name", VALID)
def test_a_response_is_read_to_its_end(make_client: MakeClient, name: str):
    """
    The next response begins after it, on the same connection if it can be kept.
    """
    response, is_kept = VALID[name]
    connections: list[int] = []

    def handle(connection: socket.socket) -> None:
        connections.append(1)
        while read_request(connection):
            connection.sendall(response)
            if not is_kept:
                return

    with open_raw(handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        for _ in range(3):
            assert [movie.id for movie in client.fetch_page(1, "asc").movies] == [5]
    assert len(connections) == (1 if is_kept else 3)


@pytest.mark.parametrize("name", INVALID)
def test_a_response_without_a_clear_end_fails_at_once(make_client: MakeClient, name: str):
    """
    Nothing is read past the response, and the connection is not used again.
    """
    responses = [INVALID[name], PAGE]

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(responses.pop(0))

    with open_raw(handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        with soon(), pytest.raises(YtsUnavailable):
            client.fetch_page(1, "asc")
        assert len(client.fetch_page(1, "asc").movies) == 1
