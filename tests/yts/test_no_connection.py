"""`explain`: messages for hosts that are missing, silent, or close the connection."""

import errno
import os
import socket
import sys
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.canned_server import Canned, CannedServer
from tests.support.servers.client_fixtures import MakeClient
from tests.support.servers.raw_server import open_raw, read_request, whole_response
from tests.support.waiting import soon
from yts.client import YtsClient
from yts.errors import YtsRefused, YtsUnavailable


@pytest.mark.parametrize(
    "silence", [{"silence_seconds": 60.0}, {"seconds_per_byte": 60.0}], ids=["before", "within"]
)
def test_a_silent_server_is_abandoned(
    make_client: MakeClient, server: CannedServer, silence: dict[str, float]
):
    """
    The server is silent before the headers or within the body (docs/yts-api.md, section 8).
    """
    server.give(Canned(page_response(a_row()), **silence))
    with soon(), pytest.raises(YtsUnavailable, match=r"^127\.0\.0\.1:\d+ fell silent$"):
        make_client(read_seconds=0.1, attempts=1).fetch_page(1, "asc")


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}])
def test_a_response_that_never_ends_is_abandoned(
    make_client: MakeClient, server: CannedServer, headers: dict[str, str]
):
    """
    Single bytes keep the read timeout from ending it; the whole response has a time limit.
    """
    server.give(Canned(page_response(a_row()), headers=headers, seconds_per_byte=0.1))
    with soon(), pytest.raises(YtsUnavailable, match="the response took over"):
        make_client(response_seconds=0.15, attempts=1).fetch_page(1, "asc")


def test_a_slow_response_within_its_time_is_accepted(make_client: MakeClient, server: CannedServer):
    """
    YTS has taken 20 s for a response (docs/yts-api.md, section 8).
    """
    server.give(Canned(page_response(a_row(5)), silence_seconds=0.2))
    page = make_client(read_seconds=30, attempts=1).fetch_page(1, "asc")
    assert [movie.id for movie in page.movies] == [5]


def test_a_refused_connection_has_a_clear_message(make_client: MakeClient, dead_port: int):
    """
    The message has host and port, no query and no class name.
    """
    client = make_client(api_url=f"http://127.0.0.1:{dead_port}/api/v2", attempts=1)
    with pytest.raises(
        YtsUnavailable,
        match=rf"^no connection to 127\.0\.0\.1:{dead_port}: nothing listens at this port$",
    ):
        client.fetch_page(1, "asc")


def test_a_reset_connection_has_a_clear_message(client_once: YtsClient, server: CannedServer):
    """
    The block of an ISP does this (docs/yts-api.md, section 8).
    """
    server.give(Canned(is_reset=True))
    with pytest.raises(
        YtsUnavailable, match=r"^no connection to 127\.0\.0\.1:\d+: it closed the connection"
    ):
        client_once.fetch_page(1, "asc")


def test_a_truncated_response_has_a_clear_message(client_once: YtsClient, server: CannedServer):
    """
    A truncated response is not used.
    """
    server.give(Canned(page_response(a_row()), cut_after=50))
    with pytest.raises(YtsUnavailable, match=r"127\.0\.0\.1:\d+ broke off its response"):
        client_once.fetch_page(1, "asc")


@pytest.mark.parametrize(
    ("number", "reason"),
    [
        (socket.EAI_NONAME, "its name is unknown"),
        (socket.EAI_AGAIN, r"its name cannot be looked up now \(is the network up\?\)"),
    ],
)
def test_an_unknown_host_and_a_missing_resolver_have_different_messages(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
):
    """
    Domains of YTS disappear (docs/yts-api.md, section 1). The resolver is replaced, because
    the real one may be slow.
    """

    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror(number, "no address")

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    client = make_client(api_url="https://yts.invalid/api/v2", attempts=1)
    with pytest.raises(YtsUnavailable, match=rf"^no connection to yts\.invalid: {reason}$"):
        client.fetch_page(1, "asc")


def test_an_unreachable_network_has_the_message_of_the_system(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch
):
    """
    No route, or IPv6 without a way out.
    """

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.ENETUNREACH, "whatever")

    monkeypatch.setattr(socket.socket, "connect", fail)
    with pytest.raises(YtsUnavailable, match=f": {os.strerror(errno.ENETUNREACH)}$"):
        make_client(attempts=1).fetch_page(1, "asc")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems reset when the queue is full")
def test_a_host_that_accepts_no_connection_has_a_clear_message(make_client: MakeClient):
    """
    Connecting has its own, shorter time limit.
    """
    with ExitStack() as stack:
        full = stack.enter_context(socket.socket())
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            waiting.connect_ex(full.getsockname())
        port = full.getsockname()[1]
        client = make_client(
            api_url=f"http://127.0.0.1:{port}/api", connect_seconds=0.1, attempts=1
        )
        with pytest.raises(YtsUnavailable, match="did not accept a connection in time"):
            client.fetch_page(1, "asc")


def test_a_host_without_tls_has_a_clear_message(make_client: MakeClient, server: CannedServer):
    """
    The message differs from that for an invalid certificate.
    """
    client = make_client(api_url=server.url.replace("http:", "https:"), attempts=1)
    with pytest.raises(YtsUnavailable, match=r"does not speak TLS \(is it http:// rather than"):
        client.fetch_page(1, "asc")


def test_an_invalid_certificate_has_a_message_with_the_reason(
    make_client: MakeClient, certificate: Path
):
    """
    The certificate is self-signed; the connection itself works.
    """
    with open_raw(read_request, certificate) as address:
        client = make_client(api_url=f"https://{address}/api", attempts=1)
        with pytest.raises(YtsUnavailable, match=r"valid certificate: self.signed certificate"):
            client.fetch_page(1, "asc")


def test_a_certificate_of_a_private_authority_is_valid(
    make_client: MakeClient, certificate: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    REQUESTS_CA_BUNDLE names it, as for every program that uses requests.
    """

    def handle(connection: socket.socket) -> None:
        while read_request(connection):
            connection.sendall(whole_response(page_response(a_row(5))))

    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate))
    with open_raw(handle, certificate) as address:
        client = make_client(api_url=f"https://{address}/api", attempts=1)
        for _ in range(2):
            assert len(client.fetch_page(1, "asc").movies) == 1


def test_a_socks_proxy_without_its_library_has_a_clear_message(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, pauses: list[float]
):
    """
    The base URL is right, and another attempt cannot help.
    """
    monkeypatch.setitem(sys.modules, "socks", None)
    monkeypatch.delitem(sys.modules, "urllib3.contrib.socks", raising=False)
    monkeypatch.setenv("http_proxy", "socks5://user:hidden-word@127.0.0.1:1080")
    with pytest.raises(YtsRefused, match=r"SOCKS proxy, .*pip install PySocks") as caught:
        make_client(api_url="http://yts.invalid/api").fetch_page(1, "asc")
    assert "hidden-word" not in str(caught.value)
    assert pauses == []


def test_a_missing_proxy_and_a_missing_host_have_different_messages(
    make_client: MakeClient, monkeypatch: pytest.MonkeyPatch, dead_port: int
):
    """
    The message has the reason, but not the URL of the proxy.
    """
    monkeypatch.setenv("http_proxy", f"http://user:hidden-word@127.0.0.1:{dead_port}")
    client = make_client(api_url="http://yts.invalid/api", attempts=1)
    with pytest.raises(YtsUnavailable, match=r"through the proxy .*: nothing listens") as caught:
        client.fetch_page(1, "asc")
    assert "hidden-word" not in str(caught.value)


def test_a_host_with_another_protocol_has_a_clear_message(make_client: MakeClient):
    """
    For example a TLS port that gets a plain request.
    """
    alert = b"\x15\x03\x01\x00\x02\x02\x46"
    with open_raw(lambda it: it.sendall(read_request(it) and alert)) as address:
        client = make_client(api_url=f"http://{address}/api", attempts=1)
        with pytest.raises(YtsUnavailable, match="does not answer in HTTP"):
            client.fetch_page(1, "asc")


def test_a_head_that_is_too_large_has_a_clear_message(make_client: MakeClient):
    """
    A line over 64 KB or more than a hundred lines are refused.
    """
    for lines in ([b"X: " + b"y" * 70_000], [b"X: y"] * 200):
        head = whole_response(b"{}", *lines)
        with open_raw(lambda it, head=head: it.sendall(read_request(it) and head)) as address:
            client = make_client(api_url=f"http://{address}/api", attempts=1)
            with pytest.raises(YtsUnavailable, match="cannot be read as HTTP"):
                client.fetch_page(1, "asc")


@pytest.mark.parametrize("url", ["http://", "gopher://h/api", "yts.gg/api", "http://a..b/api"])
def test_an_invalid_base_url_is_not_retried(make_client: MakeClient, pauses: list[float], url: str):
    """
    Another request would fail in the same way.
    """
    with pytest.raises(YtsRefused, match="is not a valid address"):
        make_client(api_url=url).fetch_page(1, "asc")
    assert pauses == []
