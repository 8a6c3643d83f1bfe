"""`server`, a scripted YTS, and `client`, `make_client`: clients of it that do not sleep."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers.canned_server import CannedServer, open_canned
from tests.support.servers.client_fixtures import MakeClient
from yts.client import YtsClient
from yts.settings import ClientSettings

_CLIENT_ARGUMENTS = {"take_slot", "slow_down", "sleep", "watch"}


@pytest.fixture(autouse=True)
def _no_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    """Remove the proxies of the developer's environment."""
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


@pytest.fixture
def server() -> Iterator[CannedServer]:
    """Yield a server; the test sets its responses."""
    with open_canned() as running:
        yield running


@pytest.fixture
def pauses() -> list[float]:
    """Return the list of pauses between attempts, in seconds."""
    return []


@pytest.fixture
def make_client(server: CannedServer, pauses: list[float]) -> Iterator[MakeClient]:
    """Return a function that makes clients, which record pauses instead of sleeping."""
    clients: list[YtsClient] = []

    def make(**options: Any) -> YtsClient:
        arguments = {name: options.pop(name) for name in _CLIENT_ARGUMENTS & options.keys()}
        settings = ClientSettings(**{"api_url": server.url, "read_seconds": 60.0} | options)
        clients.append(YtsClient(settings, **{"sleep": pauses.append} | arguments))
        return clients[-1]

    yield make
    for client in clients:
        client.close()


@pytest.fixture
def client(make_client: MakeClient) -> YtsClient:
    """Return a client of the server with five attempts."""
    return make_client()


@pytest.fixture
def client_once(make_client: MakeClient) -> YtsClient:
    """Return a client of the server with one attempt."""
    return make_client(attempts=1)


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a file with a self-signed certificate for this machine and its key."""
    if (openssl := shutil.which("openssl")) is None:
        pytest.skip("there is no openssl here")
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    command = (
        f"{openssl} req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
        f"-subj /CN=here -addext subjectAltName=IP:127.0.0.1 -keyout {path}.key -out {path}"
    )
    subprocess.run(command.split(), check=True, capture_output=True)
    path.write_bytes(path.read_bytes() + Path(f"{path}.key").read_bytes())
    return path


@pytest.fixture
def dead_port() -> Iterator[int]:
    """Yield a port on which nothing listens."""
    with socket.socket() as holder:
        holder.bind(("127.0.0.1", 0))
        yield holder.getsockname()[1]
