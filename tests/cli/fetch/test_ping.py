"""`fetch_yts_data.py --ping`: a watchdog hears how each run ends, and never disturbs a run."""

import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import closing
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from sqlalchemy import URL

from cli.fetch import ping
from cli.fetch.ping import Watchdog
from ingest.exit_codes import ExitCode
from sandbox.api.sandbox_server import Sandbox
from tests.support.processes.commands import call

FETCH = "fetch_yts_data.py"
SECRET = "/2f6d9c1e-zq1z-4b1f/"


class PingServer(HTTPServer):
    """Keeps the pings that it gets, and answers with `status`."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.status = 200
        self.pings: list[tuple[str, str]] = []

    @property
    def url(self) -> str:
        """Return the URL of a check."""
        return f"http://127.0.0.1:{self.server_port}{SECRET}"

    @property
    def events(self) -> list[str]:
        """Return what was added to the path of each ping."""
        return [path.removeprefix(SECRET.rstrip("/")) for path, _ in self.pings]


class _Handler(BaseHTTPRequestHandler):
    server: PingServer

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        self.server.pings.append((self.path, body))
        self.send_response(self.server.status)
        if self.server.status == 302:
            self.send_header("Location", "/elsewhere")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def server() -> Iterator[PingServer]:
    """Run a watchdog that answers every ping."""
    running = PingServer()
    thread = threading.Thread(target=running.serve_forever, args=(0.02,))
    thread.start()
    yield running
    running.shutdown()
    thread.join()
    running.server_close()


def fetch(url: URL, sandbox: Sandbox, ping_url: str, *options: str, **env: str) -> Any:
    """Fetch the list of the practice catalogue."""
    source = ("--api-url", sandbox.url, "--rate", "0", "--no-details")
    return call(FETCH, *source, "--ping", ping_url, *options, url=url, **env)


def test_a_watchdog_gets_the_beginning_and_the_end_with_the_summary(
    database_url: URL, small_sandbox: Sandbox, server: PingServer
):
    """The summary is the text that the run prints; a fetch that fails has its message instead."""
    done = fetch(database_url, small_sandbox, server.url)

    assert (done.returncode, done.stderr.count("ping")) == (0, 0), done.stderr
    assert server.events == ["/start", ""]
    assert server.pings[1][1].strip() == done.stdout.strip()
    assert "new movies" in done.stdout

    server.pings.clear()
    failed = call(FETCH, "--database-url", "mysql://host/movies", YTS_PING=server.url)
    assert failed.returncode == 2
    assert server.events == ["/start", "/fail"]
    assert server.pings[1][1].startswith("Error: The database URL is for 'mysql'")


def test_a_dry_run_and_show_config_send_no_ping(
    database_url: URL, small_sandbox: Sandbox, server: PingServer
):
    """Neither of them is a run."""
    assert fetch(database_url, small_sandbox, server.url, "--dry-run").returncode == 0
    assert fetch(database_url, small_sandbox, server.url, "--show-config").returncode == 0

    assert server.pings == []


@pytest.mark.parametrize("code", ExitCode)
def test_a_run_that_the_next_one_continues_has_not_failed(code: ExitCode, server: PingServer):
    """0, 3 and 7 are successes; any other code means that something keeps the mirror from that."""
    problems: list[str] = []
    watchdog = Watchdog(server.url, problems.append)
    watchdog.start()
    watchdog.finish(code, "How it ended.")

    assert server.pings[-1][1] == "How it ended."
    assert server.events == ["/start", "" if code in {0, 3, 7} else "/fail"]
    assert problems == []


def test_the_events_are_added_to_the_path_before_a_query(server: PingServer):
    """Some services want parameters."""
    watchdog = Watchdog(f"{server.url.rstrip('/')}?create=1", print)
    watchdog.start()
    watchdog.finish(1, "")

    assert server.events == ["/start?create=1", "/fail?create=1"]


def test_a_summary_is_cut_and_has_no_secrets(server: PingServer, monkeypatch: pytest.MonkeyPatch):
    """At most 10,000 bytes of UTF-8 without half a character; passwords of URLs are masked."""
    monkeypatch.setattr(sys, "argv", [FETCH, "--api-url", "http://me:zq2zqq@host/api"])
    watchdog = Watchdog(server.url, print)
    watchdog.start()
    watchdog.finish(1, "at http://me:zq2zqq@host/api the password zq2zqq is wrong " + 9999 * "ü")

    body = server.pings[-1][1]
    assert "zq2zqq" not in body
    assert "the password *** is wrong" in body
    assert 9_990 < len(body.encode()) <= 10_000
    assert body.endswith("ü")


@pytest.mark.parametrize(("status", "message"), [(302, "redirects it"), (500, "answered 500")])
def test_a_watchdog_that_refuses_a_ping_changes_no_fetch(
    status: int, message: str, database_url: URL, small_sandbox: Sandbox, server: PingServer
):
    """A message on stderr names the host with its port, and not the URL, which is a secret."""
    server.status = status
    done = fetch(database_url, small_sandbox, server.url, "-q")

    assert (done.returncode, done.stdout) == (0, "")
    assert server.events == ["/start", ""]
    assert done.stderr.count("The ping failed, the fetch did not") == 1
    assert f"127.0.0.1:{server.server_port} {message}" in done.stderr
    assert "zq1z" not in done.stderr


def test_nothing_listens_where_pings_are_sent(database_url: URL, small_sandbox: Sandbox):
    """Neither a closed port nor a server without TLS delays the fetch or shows the URL."""
    with closing(socket.create_server(("127.0.0.1", 0))) as closed:
        port = closed.getsockname()[1]
    plain = small_sandbox.url.split("/")[2]
    for url, message in (
        (f"http://127.0.0.1:{port}{SECRET}", "nothing listens at this port"),
        (f"https://{plain}{SECRET}", "does not speak TLS"),
    ):
        done = fetch(database_url, small_sandbox, url)
        assert done.returncode == 0
        assert message in done.stderr
        assert "zq1z" not in done.stdout + done.stderr


def test_a_silent_watchdog_is_not_waited_for(monkeypatch: pytest.MonkeyPatch):
    """The end of a run waits for pings for a limited time, in all."""
    monkeypatch.setattr(ping, "_WAIT_SECONDS", 0.05)
    problems: list[str] = []
    with closing(socket.create_server(("127.0.0.1", 0))) as silent:
        port = silent.getsockname()[1]
        watchdog = Watchdog(f"http://127.0.0.1:{port}{SECRET}", problems.append)
        watchdog.start()
        watchdog.finish(0, "Done.")

    reason = f"127.0.0.1:{port} did not answer in time"
    assert problems == [f"The ping failed, the fetch did not: {reason}."]


def test_the_url_is_a_secret(database_url: URL, small_sandbox: Sandbox, server: PingServer):
    """It is in no output, and not in the command line that is stored with the run."""
    done = fetch(database_url, small_sandbox, server.url, "--json", "-v")
    history = call("monitor_progress.py", "--history", "--json", url=database_url)
    config = call(FETCH, "--show-config", url=database_url, YTS_PING=server.url)
    refused = call(FETCH, "--ping", f"ftp://host{SECRET}", url=database_url)

    for shown in (done, history, config, refused):
        assert "zq1z" not in shown.stdout + shown.stderr
    assert f"--ping 'http://127.0.0.1:{server.server_port}/***'" in done.stdout
    assert f"http://127.0.0.1:{server.server_port}/***" in config.stdout
    assert (refused.returncode, "https://hc-ping.com/UUID" in refused.stderr) == (2, True)
    assert "zq1z" not in "".join(body for _, body in server.pings)
