"""Hosts that are not there, fall silent or break off: told in words, not in class names."""

import socket
import sys
import time
from contextlib import ExitStack

import pytest

from tests.yts.answers import a_row, page_answer
from tests.yts.canned import Canned, CannedServer
from tests.yts.conftest import MakeClient
from yts.client import YtsClient
from yts.errors import YtsRefused, YtsUnavailable


@pytest.mark.parametrize(
    "silence", [{"silence_seconds": 1.0}, {"seconds_per_byte": 1.0}], ids=["before", "within"]
)
def test_a_silent_server_is_left(
    make_client: MakeClient, server: CannedServer, silence: dict[str, float]
):
    """
    Before the headers and in the middle of the body (section 8).
    """
    server.give(Canned(page_answer(a_row()), **silence))
    since = time.monotonic()
    with pytest.raises(YtsUnavailable, match=r"^127\.0\.0\.1:\d+ fell silent$"):
        make_client(read_seconds=0.1, attempts=1).fetch_page(1, "asc")
    assert time.monotonic() - since < 0.9


@pytest.mark.parametrize("headers", [{}, {"Content-Encoding": "identity"}])
def test_an_answer_that_never_ends_is_left(
    make_client: MakeClient, server: CannedServer, headers: dict[str, str]
):
    """
    Byte by byte no silence is ever too long; the whole answer has its time.
    """
    server.give(Canned(page_answer(a_row()), headers=headers, seconds_per_byte=0.01))
    since = time.monotonic()
    with pytest.raises(YtsUnavailable, match="the answer took over"):
        make_client(answer_seconds=0.15, attempts=1).fetch_page(1, "asc")
    assert time.monotonic() - since < 2


def test_a_slow_answer_within_its_time_is_taken(make_client: MakeClient, server: CannedServer):
    """
    YTS has been seen to think for 20 s (section 8): slow is not gone.
    """
    server.give(Canned(page_answer(a_row(5)), silence_seconds=0.2))
    page = make_client(read_seconds=2, attempts=1).fetch_page(1, "asc")
    assert [movie.id for movie in page.movies] == [5]


def test_a_refused_connection_is_told_in_words(make_client: MakeClient, dead_port: int):
    """
    Host and port, not the query and not a class name.
    """
    client = make_client(api_url=f"http://127.0.0.1:{dead_port}/api/v2", attempts=1)
    with pytest.raises(YtsUnavailable, match=rf"^no connection to 127\.0\.0\.1:{dead_port}$"):
        client.fetch_page(1, "asc")


def test_a_reset_connection_is_told_in_words(client_once: YtsClient, server: CannedServer):
    """
    As an ISP's block does it (section 8).
    """
    server.give(Canned(is_reset=True))
    with pytest.raises(YtsUnavailable, match=r"^no connection to 127\.0\.0\.1:\d+$"):
        client_once.fetch_page(1, "asc")


def test_a_cut_answer_is_told_in_words(client_once: YtsClient, server: CannedServer):
    """
    Its beginning is not mistaken for all of it.
    """
    server.give(Canned(page_answer(a_row()), cut_after=50))
    with pytest.raises(YtsUnavailable, match=r"127\.0\.0\.1:\d+ broke off its answer"):
        client_once.fetch_page(1, "asc")


def test_an_unknown_host_is_told_in_words(make_client: MakeClient, monkeypatch: pytest.MonkeyPatch):
    """
    YTS's domains vanish (section 1). The resolver is played, for the real one may be slow.
    """

    def nobody(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nobody)
    client = make_client(api_url="https://yts.invalid/api/v2", attempts=1)
    with pytest.raises(YtsUnavailable, match=r"^no connection to yts\.invalid$"):
        client.fetch_page(1, "asc")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems reset when the queue is full")
def test_a_host_that_accepts_nobody_is_told_in_words(make_client: MakeClient):
    """
    Connecting has its own, shorter time.
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


def test_a_host_without_tls_is_told_in_words(make_client: MakeClient, server: CannedServer):
    """
    Certificates are checked, and plain HTTP is none.
    """
    client = make_client(api_url=server.url.replace("http:", "https:"), attempts=1)
    with pytest.raises(YtsUnavailable, match="has no valid certificate"):
        client.fetch_page(1, "asc")


@pytest.mark.parametrize("url", ["http://", "gopher://h/api", "yts.gg/api", "http://a..b/api"])
def test_a_base_url_that_is_none_is_not_tried_again(
    make_client: MakeClient, pauses: list[float], url: str
):
    """
    Asking again cannot help.
    """
    with pytest.raises(YtsRefused, match="no address that can be asked"):
        make_client(api_url=url).fetch_page(1, "asc")
    assert pauses == []
