"""Every fault as a client meets it, and how often."""

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
from sandbox.api.server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.sandbox.conftest import ask, details, order, read, stats


def spoil(sandbox: Sandbox, fault: str) -> None:
    """Let every answer go wrong in one way from now on."""
    order(sandbox, "faults", json={fault: 1})


def connect(sandbox: Sandbox) -> socket.socket:
    """Ask for the list, on a bare socket that waits 5 s at the most."""
    address = urlsplit(sandbox.root)
    connection = socket.create_connection((address.hostname, address.port), timeout=5)
    connection.sendall(b"GET /api/v2/list_movies.json HTTP/1.1\r\nHost: x\r\n\r\n")
    return connection


@pytest.fixture(scope="module")
def spoilt() -> Iterator[Sandbox]:
    """A sandbox whose faults each test sets for itself."""
    with open_sandbox(SandboxSettings(retry_after_seconds=7, stall_seconds=30)) as sandbox:
        yield sandbox


@pytest.mark.parametrize(
    ("fault", "status", "content_type", "words"),
    [
        ("500", 500, "text/html", b"500 Internal Server Error"),
        ("503", 503, "text/html", b"503 Service Temporarily Unavailable"),
        ("429", 429, "text/plain", b"If you\x92d like"),
        ("cloudflare-403", 403, "text/html", b"Just a moment..."),
        ("cloudflare-200", 200, "text/html", b"Just a moment..."),
    ],
)
def test_answers_of_web_servers(
    spoilt: Sandbox, fault: str, status: int, content_type: str, words: bytes
) -> None:
    """
    Some faults never reach the API: a page or a text comes in its place.
    """
    spoil(spoilt, fault)
    answer = ask(spoilt, "list_movies")

    assert answer.status_code == status
    assert answer.headers["Content-Type"].startswith(content_type)
    assert answer.headers["Server"].startswith("yts-sandbox/")
    assert words in answer.content
    assert answer.headers.get("Retry-After") == ("7" if status in (429, 503) else None)


def test_the_429_text_is_not_utf8(spoilt: Sandbox) -> None:
    """
    One byte is cp1252, so strict decoding fails.
    """
    spoil(spoilt, "429")

    with pytest.raises(UnicodeDecodeError):
        ask(spoilt, "list_movies").content.decode("utf-8")


def test_reset_is_a_tcp_reset(spoilt: Sandbox) -> None:
    """
    The connection ends with RST, not with an orderly close.
    """
    spoil(spoilt, "reset")
    with connect(spoilt) as connection, pytest.raises(ConnectionResetError):
        connection.recv(1)


def test_truncated_ends_before_its_length(spoilt: Sandbox) -> None:
    """
    Content-Length promises more than comes.
    """
    spoil(spoilt, "truncated")

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ask(spoilt, "list_movies")


def test_stall_goes_silent_with_or_without_headers(spoilt: Sandbox) -> None:
    """
    Half of the stalls send headers first, the others nothing; a read timeout ends both.
    """
    spoil(spoilt, "stall")
    phases = set()
    for _ in range(2):
        try:
            answer = requests.get(f"{spoilt.url}/list_movies.json", timeout=0.2, stream=True)
            phases.add("headers")
            with pytest.raises(requests.exceptions.ConnectionError, match="timed out"):
                answer.content  # noqa: B018
        except requests.exceptions.ReadTimeout:
            phases.add("nothing")

    assert phases == {"headers", "nothing"}


def test_a_slow_head_is_never_silent_and_never_complete(spoilt: Sandbox) -> None:
    """
    A byte now and then: a timeout of silence alone does not end it.
    """
    spoil(spoilt, "slow-head")
    with connect(spoilt) as connection:
        pieces = [connection.recv(100) for _ in range(4)]

    assert all(pieces)
    assert b"HTTP/1.1 200 OK".startswith(b"".join(pieces))


def test_bad_json_is_whole_but_does_not_parse(spoilt: Sandbox) -> None:
    """
    The length is right, the syntax is not, on every endpoint.
    """
    spoil(spoilt, "bad-json")

    for endpoint in ("list_movies", "movie_details", "movie_suggestions"):
        answer = ask(spoilt, endpoint, movie_id=1)
        assert answer.ok
        with pytest.raises(requests.exceptions.JSONDecodeError):
            answer.json()


def test_noise_precedes_the_honest_answer(spoilt: Sandbox, honest: Sandbox) -> None:
    """
    What follows the PHP warning, from the first brace on, is the answer.
    """
    spoil(spoilt, "noise")
    text = ask(spoilt, "list_movies").text

    assert text.startswith("<br />")
    assert text[text.index("{") :] == ask(honest, "list_movies").text


def test_no_movies_leaves_out_the_rows_and_often_the_count(spoilt: Sandbox) -> None:
    """
    The glitch of a busy API: rows are left out, and the count is the right one or anything.
    """
    spoil(spoilt, "no-movies")

    answers = [read(spoilt, "list_movies") for _ in range(5)]

    assert {answer.pop("movie_count") for answer in answers} == {400, 0, 1, 3, 49}
    assert answers == [{"limit": 20, "page_number": 1}] * 5


def test_wrong_shape_is_json_of_something_else(spoilt: Sandbox) -> None:
    """
    A look-alike without status, data of another type, or no object at all.
    """
    spoil(spoilt, "wrong-shape")

    for _ in range(8):
        body = ask(spoilt, "list_movies").json()
        assert not isinstance(body, dict) or not isinstance(body.get("data"), dict)


def test_status_error_says_so(spoilt: Sandbox) -> None:
    """
    HTTP 200 with status "error" in the envelope.
    """
    spoil(spoilt, "status-error")
    answer = ask(spoilt, "movie_details", movie_id=1)

    assert answer.ok
    assert answer.json()["status"] == "error"


@pytest.mark.parametrize("asked", [1, 200, 10**6])
def test_other_movie_is_another_than_asked(spoilt: Sandbox, asked: int) -> None:
    """
    A sound answer about the wrong movie, also when the right one does not exist.
    """
    spoil(spoilt, "other-movie")

    assert details(spoilt, asked)["id"] not in (asked, 0)


def test_faults_of_one_endpoint_leave_the_others_alone(spoilt: Sandbox) -> None:
    """
    A list cannot be another movie, details cannot lack their rows.
    """
    order(spoilt, "faults", json={"other-movie": 0.5, "no-movies": 0.5})

    for _ in range(10):
        assert "movies" in read(spoilt, "movie_suggestions", movie_id=1)


def test_shares_are_kept_and_repeatable() -> None:
    """
    Over many requests each fault has its share, and the same requests have it again.
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
    Unknown names and shares outside 0 to 1 are told before anything is served.
    """
    with (
        pytest.raises(ValueError, match=r"fault|share"),
        open_sandbox(SandboxSettings(faults=shares)),
    ):
        pass


def test_faults_are_counted_and_disturb_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """
    With all faults at once every answer is counted, none is an error of the server itself.
    """
    caplog.set_level(logging.WARNING)
    settings = SandboxSettings(faults={"all": 1}, stall_seconds=0.01)
    with open_sandbox(settings) as sandbox, requests.Session() as session:
        for number in range(150):
            try:
                session.get(f"{sandbox.url}/movie_details.json?movie_id={number}", timeout=5)
            except requests.exceptions.RequestException:
                session.close()
        seen = stats(sandbox)

    possible = {name for name, fault in FAULTS.items() if fault.endpoint != "list_movies.json"}
    assert set(seen["faults"]) == possible
    # requests asks a second time where a kept connection broke.
    assert sum(seen["faults"].values()) == seen["requests"] >= 150
    assert seen["answers"]["movie_details.json"]["none"] > 0
    assert not caplog.records


def test_rate_limit_answers_429_and_recovers() -> None:
    """
    Within a second only so many are served; the rest get the text, and a second later all is well.
    """
    settings = SandboxSettings(rate_limit=5, retry_after_seconds=1)
    with open_sandbox(settings) as sandbox:
        burst = [ask(sandbox, "list_movies", limit=1) for _ in range(8)]
        time.sleep(1.0)
        later = ask(sandbox, "list_movies", limit=1)

    assert [answer.status_code for answer in burst] == [200] * 5 + [429] * 3
    assert burst[-1].headers["Retry-After"] == "1"
    assert later.ok


def test_rate_limit_without_retry_after_is_silent_about_it() -> None:
    """
    YTS was never seen to send Retry-After, so it takes a setting.
    """
    with open_sandbox(SandboxSettings(rate_limit=1)) as sandbox:
        answers = [ask(sandbox, "list_movies", limit=1) for _ in range(2)]

    assert answers[1].status_code == 429
    assert "Retry-After" not in answers[1].headers
    assert json.loads(answers[0].content)["status"] == "ok"
