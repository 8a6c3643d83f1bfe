"""Kept connections that the server closes: no failure, no pause, and one slot per request."""

import socket
import threading
import time
from pathlib import Path

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.client_fixtures import MakeClient
from tests.support.servers.raw_server import open_raw, read_request, whole_response
from yts.deadlines import MAX_STALE
from yts.errors import YtsUnavailable

PAGE = whole_response(page_response(a_row(5)))
PAGES = 30


class ClosingServer:
    """Sends one response on each connection, and closes it without an announcement."""

    def __init__(self, *, is_late: bool) -> None:
        """Close when the next request has come, if *is_late*, otherwise after the response."""
        self.is_late = is_late
        self.times: list[float] = []
        self._lock = threading.Lock()

    def handle(self, connection: socket.socket) -> None:
        read_request(connection)
        self.note()
        connection.sendall(PAGE)
        if self.is_late and read_request(connection):
            self.note()

    def note(self) -> None:
        with self._lock:
            self.times.append(time.monotonic())


@pytest.mark.parametrize("is_late", [True, False], ids=["with the next request", "at once"])
def test_a_server_that_closes_every_connection_costs_no_time(
    make_client: MakeClient, pauses: list[float], *, is_late: bool
):
    """
    No page fails or waits. After a few closed connections the client keeps none, so that
    requests are not repeated forever.
    """
    server = ClosingServer(is_late=is_late)
    with open_raw(server.handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        for page in range(1, PAGES + 1):
            assert client.fetch_page(page, "asc").movies

    assert pauses == []
    assert client.requests_made <= PAGES + MAX_STALE
    assert len(server.times) <= client.requests_made


def test_closed_connections_over_tls_cost_no_time(
    make_client: MakeClient, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    The connection may end without the closing message of TLS.
    """
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    server = ClosingServer(is_late=True)
    with open_raw(server.handle, certificate) as address:
        client = make_client(api_url=f"https://{address}/api", attempts=1)
        for page in range(1, 6):
            assert client.fetch_page(page, "asc").movies
    assert client.requests_made == 5 + MAX_STALE


def test_the_second_request_takes_a_slot(make_client: MakeClient):
    """
    The server may have counted the first request, so both need a slot.
    """
    slots: list[float] = []

    def take_slot() -> None:
        slots.append(time.monotonic())

    server = ClosingServer(is_late=True)
    with open_raw(server.handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1, take_slot=take_slot)
        for page in range(1, 11):
            client.fetch_page(page, "asc")

    assert len(server.times) == client.requests_made == len(slots) == 10 + MAX_STALE
    assert all(slot <= came for slot, came in zip(slots, server.times, strict=True))


def test_a_connection_that_was_closed_once_is_kept_again(make_client: MakeClient):
    """
    Occasionally closed connections do not make the client open one for each request.
    """
    numbers: list[int] = []

    def handle(connection: socket.socket) -> None:
        number = len(numbers)
        numbers.append(number)
        for _ in range(5):
            if not read_request(connection):
                return
            connection.sendall(PAGE)
        read_request(connection)

    with open_raw(handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        for page in range(1, 26):
            client.fetch_page(page, "asc")
    assert len(numbers) == 5


def test_a_new_connection_that_is_closed_without_a_response_is_a_failure(make_client: MakeClient):
    """
    If the server closes a new connection, that is a failure.
    """
    requests: list[bytes] = []
    with open_raw(lambda connection: requests.append(read_request(connection))) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        with pytest.raises(YtsUnavailable, match="closed the connection without a response"):
            client.fetch_page(1, "asc")
    assert len(requests) == client.requests_made == 1


@pytest.mark.parametrize("part", [b"HTTP", PAGE[:60], PAGE[:-10]], ids=["status", "head", "body"])
def test_a_response_that_breaks_off_is_a_failure(make_client: MakeClient, part: bytes):
    """
    A kept connection that ends within a response is a failure.
    """

    def handle(connection: socket.socket) -> None:
        for response in (PAGE, part):
            read_request(connection)
            connection.sendall(response)

    with open_raw(handle) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        client.fetch_page(1, "asc")
        with pytest.raises(YtsUnavailable):
            client.fetch_page(2, "asc")
    assert client.requests_made == 2
