"""`FAULTS` and `FaultMix`: each fault as a client sees it, and the shares of faults."""

import json
import logging
import socket
import time
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
import requests

from sandbox.api.fault_mix import FaultMix
from sandbox.api.faults import FAULTS
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.sandbox_requests import ask, command, details, read, stats


def set_fault(sandbox: Sandbox, fault: str) -> None:
    """Apply *fault* to every request from now on."""
    command(sandbox, "faults", json={fault: 1})


def connect(sandbox: Sandbox) -> socket.socket:
    """Request the list on a plain socket that waits at most 5 s."""
    address = urlsplit(sandbox.root)
    connection = socket.create_connection((address.hostname, address.port), timeout=5)
    connection.sendall(b"GET /api/v2/list_movies.json HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection


@pytest.fixture(scope="module")
def faulty() -> Iterator[Sandbox]:
    """Yield a sandbox whose faults each test sets."""
    with open_sandbox(SandboxSettings(retry_after_seconds=7, stall_seconds=30)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "part"),
    [
        ("500", 500, "text/html", b"500 Internal Server Error"),
        ("503", 503, "text/html", b"503 Service Temporarily Unavailable"),
        ("429", 429, "text/plain", b"If you\x92d like"),
        ("cloudflare-403", 403, "text/html", b"Just a moment..."),
        ("cloudflare-200", 200, "text/html", b"Just a moment..."),
    ],
)
def test_responses_of_web_servers(
    faulty: Sandbox, fault: str, status: int, content_type: str, part: bytes
) -> None:
    """
    Some faults replace the API response by a page or a text.
    """
    set_fault(faulty, fault)
    response = ask(faulty, "list_movies")

    assert response.status_code == status
    assert response.headers["Content-Type"].startswith(content_type)
    assert response.headers["Server"].startswith("yts-sandbox/")
    assert part in response.content
    assert response.headers.get("Retry-After") == ("7" if status in (429, 503) else None)


def test_the_429_text_is_not_utf8(faulty: Sandbox) -> None:
    """
    One byte is cp1252, so strict decoding fails.
    """
    set_fault(faulty, "429")

    with pytest.raises(UnicodeDecodeError):
        ask(faulty, "list_movies").content.decode("utf-8")


def test_reset_is_a_tcp_reset(faulty: Sandbox) -> None:
    """
    The connection ends with RST, not with an orderly close.
    """
    set_fault(faulty, "reset")
    with connect(faulty) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_truncated_ends_before_its_length(faulty: Sandbox) -> None:
    """
    Content-Length is larger than the body.
    """
    set_fault(faulty, "truncated")

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(faulty, "list_movies")


def test_a_stall_begins_before_or_after_the_headers(faulty: Sandbox) -> None:
    """
    Half of the stalls send headers first, the others nothing; a read timeout ends both.
    """
    set_fault(faulty, "stall")
    phases = set()
    for _ in range(2):
        try:
            response = requests.get(f"{faulty.url}/list_movies.json", timeout=0.8, stream=True)
            phases.add("headers")
            with pytest.raises(requests.exceptions.ConnectionError, match="timed out"):
                response.content  # noqa: B018
        except requests.exceptions.ReadTimeout:
            phases.add("nothing")

    assert phases == {"headers", "nothing"}


def test_a_slow_head_is_never_silent_and_never_complete(faulty: Sandbox) -> None:
    """
    The bytes come one by one, so that a read timeout alone does not end it.
    """
    set_fault(faulty, "slow-head")
    with connect(faulty) as connection:
        pieces = [connection.recv(100) for _ in range(4)]

    assert all(pieces)
    assert b"HTTP/1.1 200 OK".startswith(b"".join(pieces))


def test_bad_json_is_whole_but_does_not_parse(faulty: Sandbox) -> None:
    """
    The length is right, the syntax is not, on every endpoint.
    """
    set_fault(faulty, "bad-json")

    for endpoint in ("list_movies", "movie_details", "movie_suggestions"):
        response = ask(faulty, endpoint, movie_id=1)
        assert response.ok
        with pytest.raises(requests.exceptions.JSONDecodeError):
            response.json()


def test_noise_precedes_the_intact_response(faulty: Sandbox, intact: Sandbox) -> None:
    """
    After the PHP warning, from the first brace on, the response is intact.
    """
    set_fault(faulty, "noise")
    text = ask(faulty, "list_movies").text

    assert text.startswith("<br />")
    assert text[text.index("{") :] == ask(intact, "list_movies").text


def test_no_movies_leaves_out_the_rows_and_often_the_count(faulty: Sandbox) -> None:
    """
    As under load at YTS: rows are left out, and the count is right or wrong.
    """
    set_fault(faulty, "no-movies")

    responses = [read(faulty, "list_movies") for _ in range(5)]

    assert {response.pop("movie_count") for response in responses} == {400, 0, 1, 3, 49}
    assert responses == [{"limit": 20, "page_number": 1}] * 5


def test_wrong_shape_is_json_of_something_else(faulty: Sandbox) -> None:
    """
    An object without status, data of another type, or not an object.
    """
    set_fault(faulty, "wrong-shape")

    for _ in range(8):
        body = ask(faulty, "list_movies").json()
        assert not isinstance(body, dict) or not isinstance(body.get("data"), dict)


def test_status_error_says_so(faulty: Sandbox) -> None:
    """
    HTTP 200 with status "error" in the envelope.
    """
    set_fault(faulty, "status-error")
    response = ask(faulty, "movie_details", movie_id=1)

    assert response.ok
    assert response.json()["status"] == "error"


@pytest.mark.parametrize("asked", [1, 200, 10**6])
def test_other_movie_is_another_than_asked(faulty: Sandbox, asked: int) -> None:
    """
    A valid response about the wrong movie, also if the right one does not exist.
    """
    set_fault(faulty, "other-movie")

    assert details(faulty, asked)["id"] not in (asked, 0)


def test_faults_of_one_endpoint_leave_the_others_alone(faulty: Sandbox) -> None:
    """
    Faults of lists and of details do not apply to suggestions.
    """
    command(faulty, "faults", json={"other-movie": 0.5, "no-movies": 0.5})

    for _ in range(10):
        assert "movies" in read(faulty, "movie_suggestions", movie_id=1)


def test_shares_are_kept_and_repeatable() -> None:
    """
    Over many requests each fault has its share, and the same requests get the same faults.
    """
    shares = FaultMix({"503": 0.1, "all": 0.15}, seed=5)
    endpoints = ("list_movies.json", "movie_details.json", "movie_suggestions.json")

    for endpoint in endpoints:
        drawn = [shares.choose(endpoint, number) for number in range(20_000)]
        again = [shares.choose(endpoint, number) for number in range(20_000)]
        possible = {n for n, fault in FAULTS.items() if fault.endpoint in (None, endpoint)}
        assert drawn == again
        assert 0.24 < sum(fault is not None for fault in drawn) / len(drawn) < 0.26
        assert 0.10 < drawn.count("503") / len(drawn) < 0.12
        assert {fault for fault in drawn if fault} == possible


@pytest.mark.parametrize(
    "shares", [{"flood": 0.1}, {"503": 1.5}, {"503": -0.1}, {"503": 0.6, "all": 0.6}]
)
def test_impossible_shares_are_refused(shares: dict[str, float]) -> None:
    """
    Unknown names and shares outside 0 to 1 raise ValueError before anything is served.
    """
    with (
        pytest.raises(ValueError, match=r"fault|share"),
        open_sandbox(SandboxSettings(faults=shares)),
    ):
        pass


def test_faults_are_counted_and_log_no_errors(caplog: pytest.LogCaptureFixture) -> None:
    """
    With all faults at once every response is counted, and the server logs no error.
    """
    caplog.set_level(logging.WARNING)
    settings = SandboxSettings(faults={"all": 1}, stall_seconds=0.01)
    with open_sandbox(settings) as sandbox, requests.Session() as session:
        for number in range(150):
            try:
                session.get(f"{sandbox.url}/movie_details.json?movie_id={number}", timeout=5)
            except requests.exceptions.RequestException:
                session.close()
        counts = stats(sandbox)

    possible = {name for name, fault in FAULTS.items() if fault.endpoint != "list_movies.json"}
    assert set(counts["faults"]) == possible
    # requests repeats a request if a kept connection broke.
    assert sum(counts["faults"].values()) == counts["requests"] >= 150
    assert counts["responses"]["movie_details.json"]["none"] > 0
    assert not caplog.records


def test_rate_limit_answers_429_and_recovers() -> None:
    """
    N requests are served in a second, the others get 429, and a second later requests are served.
    """
    settings = SandboxSettings(rate_limit=5, retry_after_seconds=1)
    with open_sandbox(settings) as sandbox:
        burst = [ask(sandbox, "list_movies", limit=1) for _ in range(8)]
        time.sleep(1.0)
        later = ask(sandbox, "list_movies", limit=1)

    assert [response.status_code for response in burst] == [200] * 5 + [429] * 3
    assert burst[-1].headers["Retry-After"] == "1"
    assert later.ok


def test_rate_limit_without_retry_after_is_silent_about_it() -> None:
    """
    YTS has never sent Retry-After, so that it needs a setting.
    """
    with open_sandbox(SandboxSettings(rate_limit=1)) as sandbox:
        responses = [ask(sandbox, "list_movies", limit=1) for _ in range(2)]

    assert responses[1].status_code == 429
    assert "Retry-After" not in responses[1].headers
    assert json.loads(responses[0].content)["status"] == "ok"
