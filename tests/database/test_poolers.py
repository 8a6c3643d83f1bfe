"""Connection poolers: session mode works, transaction mode is refused with one message."""

import queue
import shutil
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg2
import pytest
from sqlalchemy import URL, text

from database.db import get_db_manager
from database.errors import DatabaseNotReady
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.servers.embedded_world import as_root
from tests.support.servers.other_server import (
    PASSWORD,
    OtherServer,
    _find_free_port,
    open_other_server,
)
from tests.support.servers.pooler import open_pooler
from tests.support.servers.shared_server import shared_folder


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """Start a server that accepts TCP connections."""
    with open_other_server(shared_folder(tmp_path_factory)) as running:
        yield running


@pytest.fixture
def empty(server: OtherServer) -> Iterator[URL]:
    """Create an empty database, and drop it at the end of the test."""
    yield server.make_database("behind_pooler")
    run_sql(server.url, "DROP DATABASE behind_pooler WITH (FORCE)")


def is_empty(url: URL) -> bool:
    """Return whether no table was created and no advisory lock is left."""
    connection = psycopg2.connect(
        host=url.host, port=url.port, user=url.username, password=url.password, dbname=url.database
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT (SELECT count(*) FROM pg_class WHERE oid > 16383), "
            "(SELECT count(*) FROM pg_locks WHERE locktype = 'advisory')"
        )
        row = cursor.fetchone()
    connection.close()
    return row == (0, 0)


@pytest.mark.parametrize("order", [queue.Queue, queue.LifoQueue])
def test_transaction_mode_is_refused(
    order: Callable[[], "queue.Queue[object]"], empty: URL
) -> None:
    """
    Whichever connection the pooler chooses next: one message with what to do, exit code 5, and
    nothing is written.
    """
    with open_pooler(empty, order()) as url:
        with pytest.raises(DatabaseNotReady) as caught:
            get_db_manager(database_url=url)
        done = call("fetch_yts_data.py", "--ids", "1", url=url)
        checked = call("test_db_connection.py", url=url)

    assert "session mode" in str(caught.value)
    assert (done.returncode, done.stderr) == (5, f"Error: {caught.value}\n")
    assert (checked.returncode, "session mode" in checked.stdout) == (5, True)
    assert is_empty(empty)


def test_session_mode_works(empty: URL) -> None:
    """No startup parameter is sent that poolers refuse; the settings of a connection apply."""
    with (
        open_pooler(empty, None) as url,
        get_db_manager(database_url=url) as db,
        db.get_session() as session,
    ):
        shown = [
            session.scalar(text(f"SHOW {name}"))
            for name in ("timezone", "tcp_keepalives_idle", "application_name")
        ]
        held = session.scalar(text("SELECT pg_try_advisory_lock(1)"))

    assert shown == ["UTC", "30", "yts-mirror"]
    assert held


def test_a_pooler_that_refuses_options_is_named(
    empty: URL, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may refuse the user's own PGOPTIONS: the message says what to do."""
    monkeypatch.setenv("PGOPTIONS", "-c work_mem=5MB")

    with (
        open_pooler(empty, None) as url,
        pytest.raises(DatabaseNotReady, match=r"connection pooler .* session mode.*PGOPTIONS"),
    ):
        get_db_manager(database_url=url)


@as_root
@pytest.mark.skipif(shutil.which("pgbouncer") is None, reason="PgBouncer is not installed")
@pytest.mark.parametrize(("mode", "is_refused"), [("session", False), ("transaction", True)])
def test_the_real_pgbouncer(mode: str, is_refused: bool, empty: URL, tmp_path: Path) -> None:
    """PgBouncer with default settings is refused in transaction mode, and works in session mode."""
    port, users = _find_free_port("127.0.0.1"), tmp_path / "users.txt"
    users.write_text(f'"postgres" "{PASSWORD}"\n')
    settings = tmp_path / "pgbouncer.ini"
    settings.write_text(
        f"[databases]\n* = host=127.0.0.1 port={empty.port}\n[pgbouncer]\nlisten_addr=127.0.0.1\n"
        f"listen_port={port}\nunix_socket_dir=\nauth_type=plain\nauth_file={users}\n"
        f"pool_mode={mode}\nuser=nobody\n"
    )
    for path in (users, settings):
        path.chmod(0o644)
    tmp_path.chmod(0o755)
    pgbouncer = subprocess.Popen(["pgbouncer", "-q", settings], stderr=subprocess.DEVNULL)
    try:
        outcome = _open(empty.set(port=port))
    finally:
        pgbouncer.terminate()
        pgbouncer.wait()

    assert ("session mode" in outcome) == is_refused, outcome
    assert (outcome == "opened") == (not is_refused), outcome


def _open(url: URL) -> str:
    """Open the database as soon as a server accepts connections; return "opened" or the error."""
    for _ in range(100):
        try:
            get_db_manager(database_url=url).close_all()
        except DatabaseNotReady as error:
            if "nothing listens" not in str(error):
                return str(error)
            time.sleep(0.1)
        else:
            return "opened"
    return "nothing listens"
