"""Fixtures of runs: a scripted source, and databases on a server that tests may disturb."""

from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import URL, create_engine

from database.db import DatabaseManager
from database.schema import ensure_schema
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql, table_contents
from tests.support.processes.commands import run
from tests.support.runs import FEW_MOVIES, impatient_client, shrink_pages
from tests.support.servers.faulty_database import Contents, Mirror
from tests.support.servers.other_server import PASSWORD, OtherServer, open_other_server
from tests.support.servers.scripted_source import ScriptedSource, open_scripted_source
from tests.support.servers.shared_server import shared_folder

#: Movies of the sandbox for runs that are disturbed, and its latency.
MOVIES, LATENCY_SECONDS = 50, 0.08


@pytest.fixture
def source(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedSource]:
    """Serve an empty catalogue with short pages, to clients that try again without a pause."""
    impatient_client(monkeypatch, attempts=3, backoff_seconds=0.0)
    shrink_pages(monkeypatch)
    with open_scripted_source() as running:
        yield running


@pytest.fixture
def short_sandbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """Serve `FEW_MOVIES` practice movies; runs in this process read them in short pages."""
    shrink_pages(monkeypatch)
    with open_sandbox(SandboxSettings(movies=FEW_MOVIES)) as running:
        yield running


@pytest.fixture(scope="session")
def faulty_server(
    slow_sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[OtherServer]:
    """Start a server with template databases that belong to a user without privileges."""
    quoted = PASSWORD.replace("'", "''").replace(":", r"\:")
    with open_other_server(shared_folder(tmp_path_factory)) as server:
        run_sql(
            server.url,
            f"CREATE ROLE mirror LOGIN PASSWORD '{quoted}'",
            "CREATE DATABASE migrated OWNER mirror",
        )
        run_sql(server.url.set(database="migrated"), "CREATE EXTENSION vector")
        engine = create_engine(server.url.set(database="migrated", username="mirror"))
        ensure_schema(engine)
        engine.dispose()
        run_sql(server.url, "CREATE DATABASE listed TEMPLATE migrated OWNER mirror")
        listed = server.url.set(database="listed", username="mirror")
        arguments = ("--api-url", slow_sandbox.url, "--rate", "0", "--no-details")
        assert run("fetch_yts_data.py", *arguments, "--workers", "1", url=listed).returncode == 0
        yield server


@pytest.fixture(scope="session")
def slow_sandbox() -> Iterator[Sandbox]:
    """Serve movies slowly enough to disturb a run in the middle."""
    settings = SandboxSettings(movies=MOVIES, latency_seconds=LATENCY_SECONDS)
    with open_sandbox(settings) as running:
        yield running


@pytest.fixture(scope="session")
def calm_contents(new_database: Callable[[], URL], slow_sandbox: Sandbox) -> Contents:
    """Return the tables after an undisturbed run against the slow sandbox."""
    url = new_database()
    arguments = ("--api-url", slow_sandbox.url, "--rate", "0", "--workers", "1", "--threads", "30")
    assert run("fetch_yts_data.py", *arguments, url=url).returncode == 0
    with DatabaseManager(url) as db:
        contents = table_contents(db)
    assert len(contents["movies"]) == MOVIES
    return contents


_numbers = count(1)


@pytest.fixture
def mirror(
    faulty_server: OtherServer, slow_sandbox: Sandbox, calm_contents: Contents
) -> Iterator[Mirror]:
    """Create a database in which the list has been read, on the server that may be disturbed."""
    name = f"mirror_{next(_numbers)}"
    run_sql(faulty_server.url, f"CREATE DATABASE {name} TEMPLATE listed OWNER mirror")
    url = faulty_server.url.set(database=name, username="mirror")
    mirror = Mirror(faulty_server, slow_sandbox, url, calm_contents)
    mirror.order("ALTER ROLE mirror CONNECTION LIMIT -1")  # A test that failed may have left 0.
    yield mirror
    mirror.kill_all()
