"""Connections of `YtsClient` through a proxy: tunnels, passwords, and messages of the proxy."""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.client_fixtures import MakeClient
from tests.support.servers.raw_server import open_raw, read_request, whole_response
from tests.support.waiting import soon
from yts.errors import YtsUnavailable

PAGE = whole_response(page_response(a_row(5)))
API = "me:secret@127.0.0.1:443/api"
#: The passwords of *API* and of the proxy, as headers have them.
OF_API, OF_PROXY = b"\r\nAuthorization: Basic bWU6c2VjcmV0", b"\r\nProxy-Authorization: Basic cDpx"


@pytest.fixture
def proxy(certificate: Path) -> Iterator[tuple[str, list[bytes], list[bytes]]]:
    """Yield the address of a proxy that is the API itself, and its requests outside and inside."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    outside: list[bytes] = []
    inside: list[bytes] = []

    def handle(connection: socket.socket) -> None:
        while request := read_request(connection):
            outside.append(request)
            if not request.startswith(b"CONNECT"):
                connection.sendall(PAGE)
                continue
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: y\r\n\r\n")
            with context.wrap_socket(connection, server_side=True) as inner:
                while request := read_request(inner):
                    inside.append(request)
                    inner.sendall(PAGE)
                return

    with open_raw(handle) as address:
        yield f"http://p:q@{address}", outside, inside


def test_a_proxy_gets_the_password_of_the_api_only_without_a_tunnel(
    make_client: MakeClient,
    certificate: Path,
    monkeypatch: pytest.MonkeyPatch,
    proxy: tuple[str, list[bytes], list[bytes]],
):
    """
    The API never gets the password of the proxy through a tunnel.
    """
    address, outside, inside = proxy
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    for scheme in ("http", "https"):
        monkeypatch.setenv(f"{scheme}_proxy", address)
        client = make_client(api_url=f"{scheme}://{API}", attempts=1)
        for _ in range(2):
            assert len(client.fetch_page(1, "asc").movies) == 1

    *forwarded, connect = outside
    targets = [request.split(b" ")[1].partition(b"?")[0] for request in forwarded + inside]
    assert (
        targets
        == [b"http://127.0.0.1:443/api/list_movies.json"] * 2 + [b"/api/list_movies.json"] * 2
    )
    assert all(OF_PROXY in request and OF_API in request for request in forwarded)
    assert OF_PROXY in connect
    assert OF_API not in connect
    assert all(OF_API in request and OF_PROXY not in request for request in inside)


def test_an_invalid_certificate_behind_a_proxy_is_named(
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    proxy: tuple[str, list[bytes], list[bytes]],
):
    """
    The proxy has responded, the API has not.
    """
    monkeypatch.setenv("https_proxy", proxy[0])
    with pytest.raises(YtsUnavailable, match=r"^127\.0\.0\.1:443 has no valid certificate"):
        make_client(api_url=f"https://{API}", attempts=1).fetch_page(1, "asc")


def refuse(connection: socket.socket) -> None:
    """Open no tunnel."""
    read_request(connection)
    connection.sendall(whole_response(b"", status=b"407 Password Please"))


def drip(connection: socket.socket) -> None:
    """Send a head that never ends."""
    read_request(connection)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"y")
        time.sleep(0.02)


@pytest.mark.parametrize(
    ("handle", "message"),
    [
        (refuse, "through the proxy .*: Tunnel connection failed: 407 Password Please$"),
        (drip, r"^the response took over 0\.4 s$"),
    ],
)
def test_a_proxy_that_opens_no_tunnel_is_a_failure(
    make_client: MakeClient,
    monkeypatch: pytest.MonkeyPatch,
    handle: Callable[[socket.socket], None],
    message: str,
):
    """
    The deadline of the response includes the response of the proxy.
    """
    with open_raw(handle) as address:
        monkeypatch.setenv("https_proxy", f"http://{address}")
        client = make_client(api_url=f"https://{API}", response_seconds=0.4, attempts=1)
        with soon(), pytest.raises(YtsUnavailable, match=message):
            client.fetch_page(1, "asc")


def test_a_missing_file_of_certificates_is_named(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
):
    """
    REQUESTS_CA_BUNDLE may name a file that is not there.
    """
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/nowhere/ca.pem")
    with pytest.raises(YtsUnavailable, match=r"TLS CA .*/nowhere/ca\.pem"):
        make_client(api_url=f"https://{API}", attempts=1).fetch_page(1, "asc")
