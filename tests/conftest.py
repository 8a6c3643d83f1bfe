"""Fixtures for all tests: a PostgreSQL server, a migrated database for each test, a sandbox."""

import gc
import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest
from sqlalchemy import URL, create_engine

from database.db import DatabaseManager
from database.schema import ensure_schema
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.compiled_statements import share_compiled_statements
from tests.support.data import examples  # noqa: F401 -- loads the profile of hypothesis
from tests.support.data.movies import fetch_details, save
from tests.support.databases import restore, run_sql, schema_of
from tests.support.memory_folder import use_memory_folder
from tests.support.servers.shared_server import WORKER, make_once, open_shared_server, shared_folder

# Settings in the developer's shell must not reach the tests or the commands that they start.
# Python's own settings would let each command start from scratch (`start_python`), and
# PYTHONDONTWRITEBYTECODE would let it compile every module again.
for name in list(os.environ):
    if name.startswith(("YTS_", "DATABASE_URL", "PG", "PYTHON", "LINES", "COLUMNS")):
        del os.environ[name]

share_compiled_statements()
use_memory_folder()


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """Join the PostgreSQL server of this session, which has a migrated template database."""
    folder = shared_folder(tmp_path_factory)
    with open_shared_server(folder) as url:
        make_once(url, "migrated", "template0", _migrate, folder / "migrated.lock")
        yield url


def _migrate(url: URL) -> None:
    engine = create_engine(url)
    ensure_schema(engine)
    engine.dispose()


@pytest.fixture(scope="session")
def new_database(server_url: URL) -> Callable[..., URL]:
    """Return a function that creates a database: migrated, empty, or from another template."""
    numbers = count(1)

    def make(*, is_empty: bool = False, template: str = "migrated") -> URL:
        name = f"test_{WORKER}_{next(numbers)}"
        template = "template0" if is_empty else template
        run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
        return server_url.set(database=name)

    return make


@pytest.fixture(scope="session")
def empty_databases() -> list[tuple[URL, object]]:
    """Return the empty databases that earlier tests have left for reuse, with their schemas."""
    return []


@pytest.fixture
def database_url(
    new_database: Callable[..., URL], empty_databases: list[tuple[URL, object]]
) -> Iterator[URL]:
    """Return a migrated database without rows; it is reused, because creating one is slow."""
    if empty_databases:
        url, schema = empty_databases.pop()
    else:
        url = new_database()
        schema = schema_of(url)
    yield url
    if restore(url, schema):
        empty_databases.append((url, schema))


@pytest.fixture
def db(database_url: URL) -> Iterator[DatabaseManager]:
    """Open a migrated database without rows."""
    with DatabaseManager(database_url) as manager:
        yield manager


@pytest.fixture(scope="session")
def mirror_url(
    server_url: URL, new_database: Callable[..., URL], tmp_path_factory: pytest.TempPathFactory
) -> URL:
    """
    Return a database with 300 practice movies and their vectors, only to be read.

    All workers copy the same template; each has a copy of its own, because some tests end all
    sessions of the mirror.
    """
    lock = shared_folder(tmp_path_factory) / "mirror.lock"
    template = make_once(server_url, "mirror", "migrated", _fill_mirror, lock)
    return new_database(template=template)


def _fill_mirror(url: URL) -> None:
    from embeddings.index import embed_all

    with DatabaseManager(url) as db, open_sandbox(SandboxSettings(movies=300)) as running:
        save(db, *fetch_details(running, range(1, 320)))
        embed_all(db)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve 200 practice movies without faults."""
    with open_sandbox(SandboxSettings(movies=200)) as running:
        yield running


#: Modules whose tests start many whole processes or wait for real clocks; `make fast` omits them.
SLOW_MODULES = {
    "test_any_source", "test_cluster", "test_database_faults", "test_docs",
    "test_embedded_accounts", "test_embedded_crashes", "test_embedded_homes",
    "test_embedded_refusals", "test_embedded_sharing", "test_failing", "test_faults",
    "test_fetch", "test_kill_points", "test_monitor", "test_outputs", "test_pool", "test_poolers",
    "test_screen", "test_secrets", "test_shell", "test_stopping", "test_vacuum", "test_waiting",
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `SLOW_MODULES` as slow, before pytest selects by markers."""
    for item in items:
        if item.path.stem in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)


def pytest_collection_finish() -> None:
    """Let the garbage collector pass over all modules and tests, which live until the end."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 50)
