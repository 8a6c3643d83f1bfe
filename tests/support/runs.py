"""`fetch`, `read_sql` and others: run a fetch within a test, and control the sandbox behind it."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import requests

import database.step
import ingest.dry_run
import ingest.estimates
import ingest.phases.open_source
import ingest.phases.read_list
import ingest.phases.reading
import ingest.plan
from database.db import DatabaseManager
from ingest.fetch import run_fetch
from ingest.phases.sweep import last_page
from ingest.report import RunReport
from ingest.run import Listener
from ingest.settings import RunSettings
from ingest.stop import StopRequest
from sandbox.api.sandbox_server import Sandbox
from tests.support.servers.scripted_source import ScriptedSource
from yts.http_status import raise_for_status
from yts.settings import ClientSettings
from yts.transport import Query, Transport

#: Movies that the fixture `sandbox` serves.
MOVIES = 200

#: Movies on a list page after `shrink_pages`: a short catalogue has as many pages as a long one.
ROWS = 10
#: Movies that the fixture `short_sandbox` serves: four of these pages.
FEW_MOVIES = 4 * ROWS
_MODULES_THAT_COUNT_PAGES = (
    database.step,
    ingest.estimates,
    ingest.phases.open_source,
    ingest.phases.read_list,
    ingest.phases.reading,
    ingest.plan,
)


class ImpatientSettings(RunSettings):
    """Settings for clients that make two attempts with a short pause, in every process."""

    ATTEMPTS = 2

    def client_settings(self, api_url: str) -> ClientSettings:
        """Return the settings of a client of *api_url* that makes two attempts."""
        return ClientSettings(api_url, attempts=self.ATTEMPTS, backoff_seconds=0.01)


def fetch(
    db: DatabaseManager,
    *api_urls: str,
    stop: StopRequest | None = None,
    progress: Callable[[dict[str, Any]], None] = lambda _row: None,
    notice: Callable[[str], None] = lambda _message: None,
    kind: type[RunSettings] = RunSettings,
    **options: Any,
) -> RunReport:
    """
    Run a fetch with *options*; by default in this process and without a limit of the rate.

    The default has no audit either, because its requests depend on the gaps between the ids.
    """
    defaults: dict[str, Any] = {"workers": 1, "rate": 0.0, "timeout_seconds": 5.0, "audit": 0}
    listener = Listener(
        progress, note=lambda _message: None, failure=lambda _failure: None, notice=notice
    )
    settings = kind(api_urls, db.url, **{**defaults, **options})
    return run_fetch(settings, db, "a test", listener, stop or StopRequest())


def is_whole(db: DatabaseManager, source: ScriptedSource, report: RunReport) -> bool:
    """Return whether all movies are stored, and both the report and the run's row state it."""
    (is_complete,) = read_sql(db, "SELECT is_complete FROM fetch_runs ORDER BY id DESC LIMIT 1")
    stored = read_sql(db, "SELECT external_id FROM movies ORDER BY 1")
    return (
        is_complete
        and report.is_complete
        and report.exit_code == 0
        and stored == sorted(source.ids)
    )


def counted(sandbox: Sandbox) -> dict[str, Any]:
    """Return the statistics of the sandbox: requests, faults and more."""
    return requests.get(f"{sandbox.root}/sandbox/stats", timeout=30).json()


def tell(sandbox: Sandbox, command: str) -> None:
    """Change the sandbox's catalogue with *command*, for example `add?count=70`."""
    requests.post(f"{sandbox.root}/sandbox/{command}", timeout=30).raise_for_status()


def set_faults(sandbox: Sandbox, **shares: float) -> None:
    """Set the shares of faults, `bad_json` meaning bad-json; the others are switched off."""
    faults = {name.replace("_", "-").strip("-"): share for name, share in shares.items()}
    requests.post(f"{sandbox.root}/sandbox/faults", json=faults, timeout=30).raise_for_status()


def impatient_client(monkeypatch: pytest.MonkeyPatch, **client: Any) -> None:
    """Replace the settings of clients in this process by *client*."""
    monkeypatch.setattr(
        RunSettings, "client_settings", lambda _self, api_url: ClientSettings(api_url, **client)
    )


def shrink_pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let runs in this process ask for list pages of `ROWS` movies."""
    for module in _MODULES_THAT_COUNT_PAGES:
        monkeypatch.setattr(module, "MOVIES_PER_PAGE", ROWS)
    monkeypatch.setattr(ingest.dry_run, "last_page", partial(last_page, size=ROWS))


def refuse(
    monkeypatch: pytest.MonkeyPatch, status: int, is_refused: Callable[[Query], bool]
) -> list[Query]:
    """Respond with HTTP *status* where *is_refused*; return the list of refused queries."""
    read, refused = Transport.read, list[Query]()

    def read_or_refuse(connections: Transport, url: str, query: Query) -> bytes:
        if is_refused(query):
            refused.append(query)
            raise_for_status(status, None, url)
        return read(connections, url, query)

    monkeypatch.setattr(Transport, "read", read_or_refuse)
    return refused


def read_sql(db: DatabaseManager, query: str) -> list[Any]:
    """Return the rows of *query*: tuples, or plain values if it has only one column."""
    with db.get_session() as session:
        rows = session.connection().exec_driver_sql(query).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]
