"""Connections of `YtsClient`: one per thread, kept alive, through proxies, without .netrc."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.canned_server import Canned, CannedServer
from tests.support.servers.client_fixtures import MakeClient
from yts.client import YtsClient


def test_one_thread_keeps_its_connection(client: YtsClient, server: CannedServer):
    """
    Keep-alive saves a handshake for each of 77,000 movies.
    """
    server.give(page_response(a_row()))
    for page in range(1, 4):
        client.fetch_page(page, "asc")
    assert len({request.client_port for request in server.requests}) == 1


def test_every_thread_has_a_connection_of_its_own(client: YtsClient, server: CannedServer):
    """
    A `requests.Session` must not be used by two threads, not even in turn.
    """
    server.give(page_response(a_row()))
    with ThreadPoolExecutor(1) as one, ThreadPoolExecutor(1) as other:
        for thread in (one, other, one, other):
            thread.submit(client.fetch_page, 1, "asc").result(10)

    first, second, third, fourth = (request.client_port for request in server.requests)
    assert (first, second) == (third, fourth)
    assert first != second


def test_the_users_netrc_is_not_sent(
    client: YtsClient, server: CannedServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    """
    Passwords in .netrc for this host are not sent to YTS.
    """
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password secret\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    server.give(page_response(a_row()))
    client.fetch_page(1, "asc")
    assert "Authorization" not in server.requests[0].headers


def test_a_closed_client_opens_new_connections(client: YtsClient, server: CannedServer):
    """
    Closing ends the connections, not the client.
    """
    server.give(page_response(a_row()))
    client.fetch_page(1, "asc")
    client.close()
    client.fetch_page(1, "asc")
    assert len({request.client_port for request in server.requests}) == 2


def test_a_connection_that_the_server_has_closed_is_replaced(
    client: YtsClient, server: CannedServer, pauses: list[float]
):
    """
    Servers close idle connections; that causes neither a failure nor a pause.
    """
    server.give(Canned(page_response(a_row()), headers={"Connection": "close"}))
    client.fetch_page(1, "asc")
    client.fetch_page(2, "asc")
    assert pauses == []
    assert len({request.client_port for request in server.requests}) == 2


def test_a_proxy_of_the_environment_is_used(
    make_client: MakeClient, server: CannedServer, monkeypatch: pytest.MonkeyPatch
):
    """
    Blocked users need one (docs/yts-api.md, section 8). A proxy gets the absolute URL.
    """
    monkeypatch.setenv("http_proxy", server.root)
    server.give(page_response(a_row(5)))
    page = make_client(api_url="http://yts.invalid/api/v2").fetch_page(1, "asc")

    assert [movie.id for movie in page.movies] == [5]
    assert server.requests[0].target.startswith("http://yts.invalid/api/v2/list_movies.json?")


def test_no_proxy_is_used_where_the_environment_says_so(
    client: YtsClient, server: CannedServer, dead_port: int, monkeypatch: pytest.MonkeyPatch
):
    """
    For example for a base URL on this machine.
    """
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{dead_port}")
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    server.give(page_response(a_row(5)))
    assert len(client.fetch_page(1, "asc").movies) == 1
