"""`open_sandbox` in a thread, and `python -m sandbox` as a process: opening, closing, options."""

import os
import signal
import socket
import threading
import time
from typing import Any

import pytest
import requests

from sandbox.api.sandbox_server import open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python
from tests.support.sandbox_requests import TIMEOUT_SECONDS, stats
from tests.support.waiting import soon, wait_until


def start(*options: str) -> Any:
    """Start `python -m sandbox` as a process."""
    return start_python(["-m", "sandbox", *options], env={**os.environ}, cwd=REPO)


@pytest.mark.parametrize("latency_seconds", [0, 60])
def test_closing_frees_the_port_even_while_clients_hang(latency_seconds: float) -> None:
    """
    A stall or a latency of a minute does not keep a sandbox open.
    """
    threads_before = {*threading.enumerate()}
    settings = SandboxSettings(faults={"stall": 1}, latency_seconds=latency_seconds)
    with socket.socket() as client, soon(), open_sandbox(settings) as sandbox:
        port = int(sandbox.root.rpartition(":")[2])
        client.connect(("127.0.0.1", port))
        client.sendall(b"GET /api/v2/list_movies.json HTTP/1.1\r\nHost: x\r\n\r\n")
        wait_until(lambda: stats(sandbox)["requests"] == 1, "the request")
    assert {*threading.enumerate()} <= threads_before
    with socket.socket() as free:
        free.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        free.bind(("127.0.0.1", port))


def test_a_taken_port_is_an_os_error() -> None:
    """
    Opening fails at once, and leaves no thread behind.
    """
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = SandboxSettings(port=taken.getsockname()[1])
        before = {*threading.enumerate()}
        with pytest.raises(OSError, match="in use"), open_sandbox(settings):
            pass

    assert {*threading.enumerate()} <= before


def test_77000_movies_start_within_seconds() -> None:
    """
    Movies are made on request, so that their number costs almost nothing.
    """
    began = time.process_time()
    with open_sandbox(SandboxSettings(movies=77_000)) as sandbox:
        response = requests.get(
            f"{sandbox.url}/list_movies.json?limit=50&page=1540", timeout=TIMEOUT_SECONDS
        )

    assert len(response.json()["data"]["movies"]) == 50
    assert time.process_time() - began < 2


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_command_prints_its_url_and_ends_on_a_signal(number: signal.Signals) -> None:
    """
    The URL is the only line on stdout; a signal ends it with 0 and without a traceback.
    """
    process = start("--port", "0", "--movies", "10", "--fault", "stall=1")
    assert process.stdout
    url = process.stdout.readline().strip()
    with pytest.raises(requests.exceptions.RequestException):
        requests.get(f"{url}/list_movies.json", timeout=0.2)

    process.send_signal(number)
    rest, errors = process.communicate(timeout=30)

    assert url.startswith("http://127.0.0.1:")
    assert url.endswith("/api/v2")
    assert (process.returncode, rest) == (0, "")
    assert "Traceback" not in errors


def test_verbose_logs_each_response_on_stderr() -> None:
    """
    -v logs request, status and fault.
    """
    process = start("--port", "0", "-v", "--fault", "503=1")
    assert process.stdout
    url = process.stdout.readline().strip()
    requests.get(f"{url}/list_movies.json?page=2", timeout=TIMEOUT_SECONDS)
    process.send_signal(signal.SIGTERM)
    _, errors = process.communicate(timeout=30)

    assert "/api/v2/list_movies.json?page=2 answered 503, fault: 503" in errors


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fault", "flood=0.1"], "There is no fault 'flood'"),
        (["--fault", "503"], "503=0.15"),
        (["--fault", "503=2"], "between 0 and 1"),
        (["--port", "70000"], "70000"),
        (["--latency", "nan"], "latency"),
    ],
)
def test_invalid_options_are_a_usage_error(options: list[str], message: str) -> None:
    """
    Exit code 2, and a message that names the invalid value.
    """
    process = start(*options)
    output, errors = process.communicate(timeout=30)

    assert (process.returncode, output) == (2, "")
    assert message in errors
    assert "Traceback" not in errors


def test_a_busy_port_is_an_error_message() -> None:
    """
    Exit code 1 without a traceback.
    """
    with open_sandbox() as sandbox:
        process = start("--port", sandbox.root.rpartition(":")[2])
        _, errors = process.communicate(timeout=30)

    assert process.returncode == 1
    assert "The sandbox cannot start:" in errors
    assert "Traceback" not in errors
