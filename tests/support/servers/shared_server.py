"""`open_shared_server`, `copy_home`: what all pytest-xdist workers of a session share."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine

from database.embedded.file_locks import hold_lock
from database.embedded.server import open_embedded
from tests.support.databases import run_sql
from tests.support.servers.embedded_world import copy_data

#: The name of this pytest-xdist worker. It is part of the names of the databases that it creates.
WORKER = os.environ.get("PYTEST_XDIST_WORKER", "main")

#: Nothing here must survive a power cut. All workers and their commands connect to one server.
#: Autovacuum would start several processes a second for the many databases of the tests.
_SETTINGS = {
    "fsync": "off",
    "full_page_writes": "off",
    "synchronous_commit": "off",
    "autovacuum": "off",
    "max_connections": "500",
}


def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the temporary folder that all workers of this session have in common."""
    own = tmp_path_factory.getbasetemp()
    return own if WORKER == "main" else own.parent


def pristine_home(folder: Path) -> Path:
    """Return the home of an embedded server that was never used, only to be copied."""
    home = folder / "pristine"
    with hold_lock(folder / "pristine.lock"):
        if not (home / "data").exists():
            open_embedded(home).close()
    return home


def copy_home(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Path:
    """Create *home* with the data of an embedded server: a copy is faster than initdb."""
    copy_data(pristine_home(shared_folder(tmp_path_factory)), home)
    return home


@contextmanager
def open_shared_server(folder: Path) -> Iterator[URL]:
    """Start the server whose home is in *folder*, or join it, until the block ends."""
    home = folder / "postgres"
    with hold_lock(folder / "postgres.lock"):
        if not home.exists():
            draft = folder / "postgres.draft"
            copy_data(pristine_home(folder), draft)
            settings = "".join(f"{name} = {value}\n" for name, value in _SETTINGS.items())
            (draft / "data" / "postgresql.auto.conf").write_text(settings)
            draft.rename(home)
    with open_embedded(home) as server:
        yield server.url


def make_once(
    server_url: URL, name: str, template: str, fill: Callable[[URL], None], lock: Path
) -> str:
    """
    Create the database *name* from *template* and fill it, unless another worker has done so.

    No session may connect to it later, so that it can serve as a template at any time.
    """
    draft = f"{name}_draft"
    with hold_lock(lock):
        if not _exists(server_url, name):
            run_sql(
                server_url,
                f"DROP DATABASE IF EXISTS {draft} WITH (FORCE)",
                f"CREATE DATABASE {draft} TEMPLATE {template}",
            )
            fill(server_url.set(database=draft))
            run_sql(server_url, f"ALTER DATABASE {draft} RENAME TO {name}")
    return name


def _exists(server_url: URL, name: str) -> bool:
    engine = create_engine(server_url)
    query = "SELECT count(*) FROM pg_database WHERE datname = %s"
    with engine.connect() as connection:
        exists = connection.exec_driver_sql(query, (name,)).scalar_one() == 1
    engine.dispose()
    return exists
