"""`Deadline`: slow heads, slow bodies and interim responses end after the time limits."""

import socket
import time
from collections.abc import Callable, Iterable
from itertools import chain, count, repeat
from pathlib import Path

import pytest

from ingest.settings import TIMEOUTS_PER_RESPONSE, RunSettings
from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.client_fixtures import MakeClient
from tests.support.servers.raw_server import open_raw, read_request, whole_response
from tests.support.waiting import soon
from yts.errors import YtsUnavailable
from yts.http_response import MAX_INTERIM

PAGE = whole_response(page_response(a_row(5)))
CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
HINTS = b"HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"
PROCESSING = b"HTTP/1.1 102 Processing\r\n\r\n"
#: The first byte must come in this time, also from a busy machine; `MAX_INTERIM` responses do not.
SILENCE_SECONDS = 0.5

Pieces = Callable[[], Iterable[bytes]]


def drip(pieces: Pieces) -> Callable[[socket.socket], None]:
    """Return a handler that sends *pieces* with short pauses."""

    def handle(connection: socket.socket) -> None:
        read_request(connection)
        for piece in pieces():
            connection.sendall(piece)
            time.sleep(SILENCE_SECONDS / 10)

    return handle


ENDLESS: dict[str, Pieces] = {
    "a head byte by byte": lambda: (bytes([it]) for it in PAGE),
    "a head that never ends": lambda: chain([PAGE[:17]], (b"X-%d: y\r\n" % it for it in count())),
    "100 Continue": lambda: repeat(CONTINUE),
    "103 Early Hints": lambda: repeat(HINTS),
    "an interim head": lambda: [HINTS[:20], *repeat(b"x", 10_000)],
    "a status line": lambda: [b"HTTP/1.1 200 ", *repeat(b"x", 10_000)],
}


@pytest.mark.parametrize("pieces", ENDLESS.values(), ids=ENDLESS)
def test_a_slow_head_is_abandoned(make_client: MakeClient, pieces: Pieces):
    """
    The time limit of the whole head is that of silence, even if bytes arrive.
    """
    with open_raw(drip(pieces)) as address:
        client = make_client(
            api_url=f"http://{address}/api",
            read_seconds=SILENCE_SECONDS,
            response_seconds=60,
            attempts=1,
        )
        message = rf"^the head of the response took over {SILENCE_SECONDS:g} s$"
        with soon(), pytest.raises(YtsUnavailable, match=message):
            client.fetch_page(1, "asc")


def test_a_slow_body_is_abandoned(make_client: MakeClient):
    """
    A body that arrives byte by byte ends at the deadline, which starts with connecting.
    """
    with open_raw(drip(lambda: [PAGE[:-200], *(bytes([it]) for it in PAGE[-200:])])) as address:
        client = make_client(
            api_url=f"http://{address}/api", read_seconds=60, response_seconds=0.3, attempts=1
        )
        since = time.monotonic()
        with soon(), pytest.raises(YtsUnavailable, match=r"^the response took over 0\.3 s$"):
            client.fetch_page(1, "asc")
        assert time.monotonic() - since > 0.25


def test_the_time_limit_of_a_response_follows_from_the_timeout():
    """
    A shorter timeout for silence also means less time for a slow response.
    """
    for seconds in (2.0, 30.0):
        client = RunSettings((), None, timeout_seconds=seconds).client_settings("http://x")  # type: ignore[arg-type]
        assert client.response_seconds == TIMEOUTS_PER_RESPONSE * client.read_seconds


@pytest.mark.parametrize("interim", [CONTINUE, HINTS, PROCESSING, CONTINUE + HINTS + PROCESSING])
def test_an_interim_response_is_not_the_final_one(make_client: MakeClient, interim: bytes):
    """
    100, 102 and 103 may come before any response (RFC 9110, 15.2), on a kept connection too.
    """

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(interim + PAGE)

    with open_raw(handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        for _ in range(2):
            assert [movie.id for movie in client.fetch_page(1, "asc").movies] == [5]


def test_the_number_of_interim_responses_is_limited(make_client: MakeClient):
    """
    After MAX_INTERIM interim responses the request fails.
    """
    for number, is_accepted in {MAX_INTERIM: True, MAX_INTERIM + 1: False}.items():

        def handle(connection: socket.socket, number: int = number) -> None:
            read_request(connection)
            connection.sendall(CONTINUE * number + PAGE)

        with open_raw(handle) as address:
            client = make_client(api_url=f"http://{address}/api", attempts=1)
            if is_accepted:
                assert client.fetch_page(1, "asc").movies
            else:
                with pytest.raises(YtsUnavailable, match="interim responses"):
                    client.fetch_page(1, "asc")


@pytest.mark.parametrize("name", ["a head byte by byte", "100 Continue"])
def test_slow_heads_are_abandoned_over_tls(
    make_client: MakeClient, certificate: Path, monkeypatch: pytest.MonkeyPatch, name: str
):
    """
    Slow heads and interim responses are handled the same over TLS.
    """
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with open_raw(drip(ENDLESS[name]), certificate) as address:
        client = make_client(
            api_url=f"https://{address}/api",
            read_seconds=SILENCE_SECONDS,
            response_seconds=60,
            attempts=1,
        )
        message = f"the head of the response took over {SILENCE_SECONDS:g} s"
        with soon(), pytest.raises(YtsUnavailable, match=message):
            client.fetch_page(1, "asc")


@pytest.mark.parametrize("pieces", [[b""], repeat(b"\x16")], ids=["silent", "byte by byte"])
def test_a_slow_tls_handshake_is_abandoned(make_client: MakeClient, pieces: Iterable[bytes]):
    """
    The whole TLS handshake has its own, shorter time limit.
    """

    def handle(connection: socket.socket) -> None:
        connection.sendall(b"\x16\x03\x03\x40\x00")  # It announces a record of 16 KB.
        for piece in pieces:
            connection.sendall(piece)
            time.sleep(0.02)
        connection.recv(1 << 16)
        time.sleep(1)

    with open_raw(handle) as address:
        client = make_client(
            api_url=f"https://{address}/api", connect_seconds=0.3, read_seconds=60, attempts=1
        )
        with soon(), pytest.raises(YtsUnavailable):
            client.fetch_page(1, "asc")
