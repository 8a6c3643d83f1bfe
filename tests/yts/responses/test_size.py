"""`MAX_RESPONSE_BYTES`: the largest response, compressed or not."""

import gzip
from contextlib import suppress

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.canned_server import Canned, CannedServer
from tests.support.waiting import soon
from yts.client import YtsClient
from yts.errors import YtsUnavailable
from yts.transport import MAX_RESPONSE_BYTES


def padded(size_bytes: int) -> bytes:
    """Return a response of exactly this size."""
    body = page_response(a_row(5))
    return body + b" " * (size_bytes - len(body))


def test_a_response_of_the_largest_size_is_accepted(client_once: YtsClient, server: CannedServer):
    """
    8 MB, fifty times a full page.
    """
    server.give(padded(MAX_RESPONSE_BYTES))
    assert MAX_RESPONSE_BYTES == 8 * 1024 * 1024
    assert len(client_once.fetch_page(1, "asc").movies) == 1


def test_a_larger_response_is_not_read(client_once: YtsClient, server: CannedServer):
    """
    One byte more is refused.
    """
    server.give(padded(MAX_RESPONSE_BYTES + 1))
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client_once.fetch_page(1, "asc")


def test_an_endless_response_is_abandoned_early(client_once: YtsClient, server: CannedServer):
    """
    A response with a length of 100 GB is abandoned after 8 MB.
    """
    promise = {"Content-Length": str(100 * 2**30)}
    server.give(Canned(padded(MAX_RESPONSE_BYTES + 2**20), headers=promise))
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client_once.fetch_page(1, "asc")


def test_a_compressed_response_is_unpacked(client_once: YtsClient, server: CannedServer):
    """
    The client requests gzip and unpacks it.
    """
    server.give(Canned(gzip.compress(padded(900_000)), headers={"Content-Encoding": "gzip"}))
    assert len(client_once.fetch_page(1, "asc").movies) == 1
    assert "gzip" in server.requests[0].headers["Accept-Encoding"]


def test_a_compression_bomb_is_refused(client_once: YtsClient, server: CannedServer):
    """
    The unpacked size counts: 16 MB of spaces are 16 KB compressed.
    """
    bomb = gzip.compress(b" " * 2**24)
    assert len(bomb) < 50_000
    server.give(Canned(bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client_once.fetch_page(1, "asc")


@pytest.mark.parametrize("status", [301, 429, 503])
def test_the_body_of_a_redirect_or_an_error_is_not_read(
    client_once: YtsClient, server: CannedServer, status: int
):
    """
    The body could be endless, and is not needed.
    """
    nothing = Canned(b"x" * 100, status, {"Location": "/next"}, seconds_per_byte=1.0)
    server.give(nothing, page_response(a_row(5)))
    with soon(), suppress(YtsUnavailable):
        client_once.fetch_page(1, "asc")


def test_a_chunked_response_is_read_completely(client_once: YtsClient, server: CannedServer):
    """
    Without Content-Length, as a server behind a cache sends it.
    """
    body = page_response(*[a_row(number) for number in range(1, 51)])
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    server.give(Canned(chunks, headers={"Transfer-Encoding": "chunked"}))
    assert len(client_once.fetch_page(1, "asc").movies) == 50
