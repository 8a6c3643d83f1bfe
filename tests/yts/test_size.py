"""The most that an answer may hold, packed or not."""

import gzip
import time
from contextlib import suppress

import pytest

from tests.support.canned_server import Canned, CannedServer
from tests.support.yts_responses import a_row, page_answer
from yts.client import YtsClient
from yts.errors import YtsUnavailable
from yts.transport import MAX_RESPONSE_BYTES


def padded(size_bytes: int) -> bytes:
    """Return an answer of exactly this size."""
    body = page_answer(a_row(5))
    return body + b" " * (size_bytes - len(body))


def test_an_answer_of_the_largest_size_is_taken(client_once: YtsClient, server: CannedServer):
    """
    8 MB, fifty times a full page.
    """
    server.give(padded(MAX_RESPONSE_BYTES))
    assert MAX_RESPONSE_BYTES == 8 * 1024 * 1024
    assert len(client_once.fetch_page(1, "asc").movies) == 1


def test_a_larger_answer_is_not_read(client_once: YtsClient, server: CannedServer):
    """
    Not by a byte.
    """
    server.give(padded(MAX_RESPONSE_BYTES + 1))
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client_once.fetch_page(1, "asc")


def test_an_endless_answer_is_left_early(client_once: YtsClient, server: CannedServer):
    """
    A server that promises 100 GB is left after 8 MB; nothing waits for the rest.
    """
    promise = {"Content-Length": str(100 * 2**30)}
    server.give(Canned(padded(MAX_RESPONSE_BYTES + 2**20), headers=promise))
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client_once.fetch_page(1, "asc")


def test_a_packed_answer_is_unpacked(client_once: YtsClient, server: CannedServer):
    """
    gzip is asked for and read.
    """
    server.give(Canned(gzip.compress(padded(900_000)), headers={"Content-Encoding": "gzip"}))
    assert len(client_once.fetch_page(1, "asc").movies) == 1
    assert "gzip" in server.asked[0].headers["Accept-Encoding"]


def test_a_bomb_does_not_go_off(client_once: YtsClient, server: CannedServer):
    """
    What counts is the size unpacked: 64 MB of blanks are 64 KB on the wire.
    """
    bomb = gzip.compress(b" " * 2**26, 9)
    assert len(bomb) < 100_000
    server.give(Canned(bomb, headers={"Content-Encoding": "gzip"}))
    with pytest.raises(YtsUnavailable, match="larger than 8 MB"):
        client_once.fetch_page(1, "asc")


@pytest.mark.parametrize("status", [301, 429, 503])
def test_the_body_of_a_redirect_or_an_error_is_not_read(
    client_once: YtsClient, server: CannedServer, status: int
):
    """
    It may be endless as well, and says nothing that we need.
    """
    nothing = Canned(b"x" * 100, status, {"Location": "/next"}, seconds_per_byte=0.1)
    server.give(nothing, page_answer(a_row(5)))
    since = time.monotonic()
    with suppress(YtsUnavailable):
        client_once.fetch_page(1, "asc")
    assert time.monotonic() - since < 2


def test_an_answer_in_chunks_is_read_whole(client_once: YtsClient, server: CannedServer):
    """
    Without Content-Length, as a server behind a cache sends it.
    """
    body = page_answer(*[a_row(number) for number in range(1, 51)])
    pieces = [body[at : at + 1000] for at in range(0, len(body), 1000)]
    chunks = b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in [*pieces, b""])
    server.give(Canned(chunks, headers={"Transfer-Encoding": "chunked"}))
    assert len(client_once.fetch_page(1, "asc").movies) == 50
