"""Clients that are slow, many or send too much: each is refused or cut, and others are served."""

import select
import socket
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, suppress
from urllib.parse import urlsplit

import pytest
import requests
from sqlalchemy import URL, text

import web.connections
import web.reader
import web.server
from database.db import DatabaseManager
from tests.support.databases import wait_for_lock
from tests.support.servers.web_server import open_server
from tests.support.waiting import wait_until
from web.guards import LONGEST_URL
from web.settings import ServerSettings

PAGE = b"GET /api/v2/list_movies.json?limit=50 HTTP/1.1\r\nHost: localhost\r\n\r\n"
STREAM = b"GET /api/v1/movies?format=ndjson HTTP/1.1\r\nHost: localhost\r\n\r\n"


#: For tests that do something before the limit of an idle connection, also on a busy machine.
IDLE_FOR_LONGER = pytest.mark.parametrize("impatient", [2.0], indirect=True)


@pytest.fixture
def impatient(
    mirror_url: URL, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Serve with limits that a test can wait for."""
    monkeypatch.setattr(web.server, "IDLE_SECONDS", getattr(request, "param", 0.3))
    monkeypatch.setattr(web.server, "_BODY_SECONDS", 0.1)
    monkeypatch.setattr(web.connections, "CHECK_SECONDS", 0.05)
    monkeypatch.setattr(web.connections, "MAX_CONNECTIONS", 3)
    with DatabaseManager(mirror_url) as db, open_server(db, ServerSettings(connections=1)) as root:
        yield root


def connect(root: str) -> socket.socket:
    """Return a connection to a server, with a small buffer for what it sends."""
    address = urlsplit(root)
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(20)
    connection.connect((address.hostname, address.port))
    return connection


def received(connection: socket.socket) -> bytes:
    """Return all that a server sends until it closes the connection."""
    content = b""
    while part := connection.recv(1 << 16):
        content += part
    return content


@pytest.mark.parametrize("begun", [b"", b"GET", PAGE[:-2]])
def test_a_connection_without_a_complete_request_is_closed(impatient: str, begun: bytes):
    """Whether its client sent nothing or a part of the head; others are served meanwhile."""
    with closing(connect(impatient)) as slow:
        slow.sendall(begun)
        assert requests.get(f"{impatient}/healthz", timeout=20).text == "ok\n"
        assert received(slow) == b""


@IDLE_FOR_LONGER
def test_a_connection_is_kept_for_a_next_request_but_not_for_ever(impatient: str):
    """Two requests on one connection are served, then it is closed."""
    with closing(connect(impatient)) as connection:
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert connection.recv(1 << 16).endswith(b"ok\n")
        assert received(connection) == b""


def test_a_body_is_not_waited_for(impatient: str):
    """The request is answered by its head, and the connection is closed."""
    head = b"POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n"
    with closing(connect(impatient)) as slow:
        slow.sendall(head)
        assert received(slow).startswith(b"HTTP/1.1 405")


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not say what was received")
def test_a_client_that_reads_little_is_seen_to_read():
    """Long before the system takes more bytes from the server for it."""
    with closing(socket.create_server(("127.0.0.1", 0))) as server:
        client = connect(f"http://127.0.0.1:{server.getsockname()[1]}")
        connection, _ = server.accept()
    with closing(client), closing(connection):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
        connection.setblocking(False)
        with suppress(BlockingIOError):
            while True:
                connection.send(bytes(1 << 16))
        before = web.connections.unconfirmed_bytes(connection)
        client.recv(1 << 13)
        wait_until(lambda: web.connections.unconfirmed_bytes(connection) < before, "a confirmation")

        assert select.select([], [connection], [], 0) == ([], [], [])


@pytest.mark.parametrize("request_", [PAGE, STREAM])
def test_a_client_that_does_not_read_its_response_is_cut(impatient: str, request_: bytes):
    """It cannot make the server keep responses or parts of a stream in memory."""
    with closing(connect(impatient)) as stalled:
        stalled.sendall(request_ * 100)
        poll = select.poll()
        poll.register(stalled, 0)
        (_, events), *_ = poll.poll(20_000)
        assert events & select.POLLHUP


@IDLE_FOR_LONGER
def test_a_connection_too_many_is_told_to_try_again(impatient: str):
    """503 with Retry-After; when others have closed theirs, it is served."""
    others = [connect(impatient) for _ in range(3)]
    for other in others:
        other.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert other.recv(1 << 16).endswith(b"ok\n")
    refused = requests.get(f"{impatient}/healthz", timeout=20)
    for other in others:
        assert received(other) == b""
        other.close()

    assert refused.status_code == 503
    assert int(refused.headers["Retry-After"]) > 0
    assert requests.get(f"{impatient}/healthz", timeout=20).status_code == 200


def test_what_is_too_long_is_refused(served: str):
    """414 for a long URL; a longer line or header is a bad request."""
    path = f"{served}/api/v2/list_movies.json?query_term="
    urls = [path + "x" * length for length in (LONGEST_URL - len(path), LONGEST_URL, 99_999)]
    headers = {"Cookie": "x" * 99_999}

    assert [requests.get(url, timeout=20).status_code for url in urls] == [200, 414, 400]
    assert requests.get(f"{served}/healthz", headers=headers, timeout=20).status_code == 400


def test_many_words_cost_no_more_than_some(served: str):
    """YTS would not refuse them; words after the twelfth change nothing."""
    words = "the+" * 12
    url = f"{served}/api/v2/list_movies.json?query_term={words}"

    few, many = (requests.get(url + rest, timeout=20).json() for rest in ("", "qqqq+zzzz"))

    assert few["data"] == many["data"]
    assert few["data"]["movie_count"] > 0


def test_the_end_waits_for_requests_under_way_for_one_limit_in_all(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """A locked table prolongs it neither by a second wait nor until PostgreSQL responds."""
    monkeypatch.setattr(web.server, "_DRAIN_SECONDS", 2.0)
    monkeypatch.setattr(web.reader, "CLOSE_SECONDS", 0.01)
    with db.engine.connect() as holder, ThreadPoolExecutor(1) as threads:
        with open_server(db, ServerSettings(connections=1)) as root:
            holder.execute(text("LOCK TABLE movies IN ACCESS EXCLUSIVE MODE"))
            held = threads.submit(requests.get, f"{root}/api/v2/list_movies.json", timeout=20)
            wait_for_lock(holder)
            began = time.monotonic()
        seconds = time.monotonic() - began
        assert isinstance(held.exception(), requests.ConnectionError)

    assert seconds < 3.9
