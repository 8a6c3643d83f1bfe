"""Short ways to run a fetch in a test, and to talk to the sandbox behind it."""

from collections.abc import Callable
from typing import Any

import pytest
import requests

from database.db import DatabaseManager
from ingest.fetch import run_fetch
from ingest.report import RunReport
from ingest.run import Listener
from ingest.settings import RunSettings
from ingest.stop import StopRequest
from sandbox.api.sandbox_server import Sandbox
from yts.http_status import raise_for_status
from yts.settings import ClientSettings
from yts.transport import Query, Transport

MOVIES = 200  # as the sandbox fixture serves


class ImpatientSettings(RunSettings):
    """Settings whose clients wait less and try less often than they should, in every process."""

    ATTEMPTS = 2

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return how to talk to *api_url*, in two quick attempts."""
        return ClientSettings(api_url, attempts=self.ATTEMPTS, backoff_seconds=0.01)


def fetch(
    db: DatabaseManager,
    *api_urls: str,
    stop: StopRequest | None = None,
    progress: Callable[[dict[str, Any]], None] = lambda _row: None,
    notice: Callable[[str], None] = lambda _sentence: None,
    kind: type[RunSettings] = RunSettings,
    **told: Any,
) -> RunReport:
    """
    Run a fetch without a limit of the rate, in this process unless told otherwise.

    And without an audit, whose requests depend on the gaps between the ids.
    """
    defaults: dict[str, Any] = {"workers": 1, "rate": 0.0, "timeout_seconds": 5.0, "audit": 0}
    listener = Listener(
        progress, note=lambda _sentence: None, failure=lambda _failure: None, notice=notice
    )
    settings = kind(api_urls, db.url, **{**defaults, **told})
    return run_fetch(settings, db, "a test", listener, stop or StopRequest())


def counted(sandbox: Sandbox) -> dict[str, Any]:
    """Return what the sandbox has counted."""
    return requests.get(f"{sandbox.root}/sandbox/stats", timeout=5).json()


def tell(sandbox: Sandbox, what: str) -> None:
    """Change the sandbox's catalogue, as with `add?count=70`."""
    requests.post(f"{sandbox.root}/sandbox/{what}", timeout=5).raise_for_status()


def set_faults(sandbox: Sandbox, **shares: float) -> None:
    """Switch faults, `bad_json=0.5` meaning bad-json; without any, switch all off."""
    faults = {name.replace("_", "-").strip("-"): share for name, share in shares.items()}
    requests.post(f"{sandbox.root}/sandbox/faults", json=faults, timeout=5).raise_for_status()


def impatient_client(monkeypatch: pytest.MonkeyPatch, **client: Any) -> None:
    """Let clients wait less and try less often than they should."""
    monkeypatch.setattr(
        RunSettings, "client_settings", lambda _self, api_url: ClientSettings(api_url, **client)
    )


def refuse(
    monkeypatch: pytest.MonkeyPatch, status: int, is_meant: Callable[[Query], bool]
) -> list[Query]:
    """Let the source answer *status* to what is meant; return the list of what it refused."""
    read, refused = Transport.read, list[Query]()

    def read_or_refuse(connections: Transport, url: str, query: Query) -> bytes:
        if is_meant(query):
            refused.append(query)
            raise_for_status(status, None, url)
        return read(connections, url, query)

    monkeypatch.setattr(Transport, "read", read_or_refuse)
    return refused


def read_sql(db: DatabaseManager, query: str) -> list[Any]:
    """Return the rows of *query*; those of one column as bare values."""
    with db.get_session() as session:
        rows = session.connection().exec_driver_sql(query).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]
