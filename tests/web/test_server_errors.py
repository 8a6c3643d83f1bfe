"""Unexpected errors, and requests that are not HTTP: responses, and what is logged."""

import logging
import socket
from urllib.parse import urlsplit

import pytest
import requests

import web.v1.movies
import web.v2.endpoints
from database.db import DatabaseManager
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings


def _fail(*_args: object, **_more: object) -> None:
    raise RuntimeError("a secret of the server")


@pytest.mark.parametrize("base_path", ["", "/films"])
def test_an_unexpected_error_is_a_response_with_a_message_and_a_traceback_in_the_log(
    db: DatabaseManager,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    base_path: str,
):
    """The API v1 has a problem, the YTS API its envelope; both are counted as responses 500."""
    monkeypatch.setattr(web.v1.movies, "read_movies_json", _fail)
    monkeypatch.setattr(web.v2.endpoints.Endpoints, "list_movies", _fail)
    with open_server(db, ServerSettings(connections=1, base_path=base_path)) as root:
        own = requests.get(f"{root}/api/v1/movies", timeout=20)
        stream = requests.get(f"{root}/api/v1/movies?format=csv", timeout=20)
        yts = requests.get(f"{root}/api/v2/list_movies.json", timeout=20)
        counts = requests.get(f"{root}/metrics", timeout=20).text

    assert {own.status_code, stream.status_code, yts.status_code} == {500}
    assert own.headers["Content-Type"] == "application/problem+json"
    assert own.json() == stream.json()
    assert "bug" in own.json()["detail"]
    assert yts.json()["status"] == "error"
    assert own.headers["X-Content-Type-Options"] == yts.headers["X-Content-Type-Options"]
    assert "secret" not in own.text + stream.text + yts.text
    assert [record.levelno for record in caplog.records] == [logging.ERROR] * 3
    assert "a secret of the server" in caplog.text
    assert f'{base_path}/api/v1/movies",status="500"}} 2.0' in counts


@pytest.mark.parametrize(
    "request_line",
    [b"GARBAGE", b"GET * HTTP/1.1", b"\x16\x03\x01", b"GET /api/v1/ HTTP/9", b"GET /\x01 HTTP/1.1"],
)
def test_a_request_that_is_not_http_gets_a_response_and_is_not_logged(
    served: str, caplog: pytest.LogCaptureFixture, request_line: bytes
):
    """It is an error of the client, of which the server has many on a public network."""
    address = urlsplit(served)
    with socket.create_connection((address.hostname, address.port), timeout=20) as client:
        client.sendall(request_line + b"\r\nHost: localhost\r\n\r\n")
        assert client.recv(1000).startswith(b"HTTP/1.0 400 Bad Request\r\n")

    assert not caplog.records
