"""`fetch_yts_data.py --dry-run`: says what it would do, and writes nothing."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.models import Base
from sandbox.api.sandbox_server import Sandbox
from tests.support.commands import call
from tests.support.databases import run_sql
from tests.support.runs import counted, fetch, read_sql, tell

SCRIPT = "fetch_yts_data.py"


def foresee(sandbox: Sandbox, url: URL | None, *more: str, **env: str) -> dict[str, Any]:
    """Return what a dry run says."""
    command = ("-n", "--json", "--api-url", sandbox.url, "--rate", "0", *more)
    done = call(SCRIPT, *command, url=url, **env)
    assert (done.returncode, done.stderr) == (0, "")
    (told,) = map(json.loads, done.stdout.splitlines())
    return told


def hashes(db: DatabaseManager) -> dict[str, Any]:
    """Return a hash of each table, bookkeeping included."""
    names = [table.name for table in Base.metadata.sorted_tables]
    return {
        name: read_sql(db, f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name} t")
        for name in names
    }


@pytest.mark.parametrize(
    "told",
    [
        {},
        {"details": False},
        {"max_pages": 2},
        {"ids": (range(5, 25),)},
        {"full": True},
        {"update": True, "details": False},
        {"retry_failed": True},
    ],
    ids=str,
)
@pytest.mark.parametrize("is_filled", [False, True])
def test_what_it_says_is_what_a_run_then_does(
    db: DatabaseManager,
    sandbox: Sandbox,
    database_url: URL,
    told: dict[str, Any],
    is_filled: bool,
) -> None:
    """Requests and new movies, in an empty mirror and in one to which movies came; 1 request."""
    if is_filled:
        fetch(db, sandbox.url)
        tell(sandbox, "add?count=20")
    options = {
        "details": ("--no-details",),
        "max_pages": ("--max-pages", "2"),
        "ids": ("--ids", "5-24"),
        "full": ("--full",),
        "update": ("--update",),
        "retry_failed": ("--retry-failed",),
    }
    before, asked = hashes(db), counted(sandbox)["requests"]

    foreseen = foresee(sandbox, database_url, *(it for name in told for it in options[name]))

    assert hashes(db) == before, "nothing is written"
    assert counted(sandbox)["requests"] - asked == foreseen["requests_made"] == 1
    report = fetch(db, sandbox.url, **told)
    # A list is known to have ended by a page without movies, and a run begins with a probe.
    assert report.requests == pytest.approx(foreseen["requests"], abs=1)
    if told.get("ids") is None:
        assert report.counts.saved == foreseen["new"]


def test_it_makes_no_tables(new_database: Callable[..., URL], sandbox: Sandbox) -> None:
    """A database without any is an empty mirror."""
    url = new_database(is_empty=True)

    told = foresee(sandbox, url)

    assert (told["stored"], told["new"], told["pages"]) == (0, 200, 5)
    with DatabaseManager(url) as db:
        assert read_sql(db, "SELECT count(*) FROM pg_stat_user_tables") == [0]


@pytest.mark.parametrize("home", [".", "no/such/folder"])
def test_it_makes_no_embedded_server(home: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Where there is none yet, everything would be new; neither home, data nor log appears."""
    told = foresee(sandbox, None, YTS_HOME=str(tmp_path / home))

    assert (told["stored"], told["new"], told["details"], told["pages"]) == (0, 200, 200, 5)
    assert list(tmp_path.iterdir()) == []


def test_it_migrates_no_older_tables(
    db: DatabaseManager, database_url: URL, sandbox: Sandbox
) -> None:
    """It says which command does, even where the older tables could be read."""
    run_sql(database_url, "UPDATE alembic_version SET version_num = '0009'")
    asked = counted(sandbox)["requests"]

    done = call(SCRIPT, "-n", "--api-url", sandbox.url, url=database_url)

    assert (done.returncode, done.stdout) == (5, "")
    assert "of revision 0009" in done.stderr
    assert "alembic upgrade head" in done.stderr
    assert read_sql(db, "SELECT version_num FROM alembic_version") == ["0009"]
    assert counted(sandbox)["requests"] == asked


def test_it_says_what_it_costs(sandbox: Sandbox, database_url: URL) -> None:
    """In words, with the time at the rate, and the command that does it."""
    command = ("--api-url", sandbox.url, "--rate", "2")

    done = call(SCRIPT, *command, "--dry-run", url=database_url)

    assert done.returncode == 0
    assert "nothing was written, and 1 request was made" in done.stdout
    assert "about 205, 1 min 42 s at 2 a second" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"{SCRIPT} {' '.join(command)}")


def test_it_refuses_what_a_run_would_refuse(db: DatabaseManager, database_url: URL) -> None:
    """The sandbox's movies never go into the real catalogue."""
    read = "INSERT INTO sync_state (id, source) VALUES (1, 'yts')"
    with db.get_session() as session:
        session.connection().exec_driver_sql(read)

    done = call(SCRIPT, "-n", "--sandbox", url=database_url)

    assert done.returncode == 2
    assert "holds the real catalogue" in done.stderr
