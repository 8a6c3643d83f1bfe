"""`fetch_yts_data.py --dry-run`: the plan of a run, without any change."""

import json
from collections.abc import Callable, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.models import Base
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.runs import counted, fetch, read_sql, shrink_pages, tell

SCRIPT = "fetch_yts_data.py"
#: Of the copies of a filled mirror.
NUMBERS = count(1)
#: Settings of a run, the options that mean the same, and the mirrors with which the case differs
#: most from others; with the other mirror it is long.
OPTIONS: list[tuple[dict[str, Any], tuple[str, ...], set[str]]] = [
    ({}, (), {"empty", "filled"}),
    ({"details": False}, ("--no-details",), {"filled"}),
    ({"max_pages": 2}, ("--max-pages", "2"), {"empty"}),
    ({"ids": (range(5, 25),)}, ("--ids", "5-24"), {"empty"}),
    ({"full": True}, ("--full",), {"filled"}),
    ({"update": True, "details": False}, ("--update", "--no-details"), {"filled"}),
    ({"retry_failed": True}, ("--retry-failed",), {"filled"}),
]


def run_dry(sandbox: Sandbox, url: URL | None, *options: str, **env: str) -> dict[str, Any]:
    """Return the one message of a dry run."""
    command = ("-n", "--json", "--api-url", sandbox.url, "--rate", "0", *options)
    done = call(SCRIPT, *command, url=url, **env)
    assert (done.returncode, done.stderr) == (0, "")
    (forecast,) = map(json.loads, done.stdout.splitlines())
    return forecast


def hashes(db: DatabaseManager) -> dict[str, Any]:
    """Return a hash of each table, bookkeeping included."""
    names = [table.name for table in Base.metadata.sorted_tables]
    return {
        name: read_sql(db, f"SELECT md5(string_agg(t::text, '' ORDER BY t::text)) FROM {name} t")
        for name in names
    }


@pytest.fixture(scope="module")
def grown() -> Iterator[Sandbox]:
    """Serve 27 movies, of which 5 are added after `filled` has read the others."""
    with open_sandbox(SandboxSettings(movies=22)) as running:
        yield running


@pytest.fixture(scope="module")
def filled(grown: Sandbox, new_database: Callable[..., URL]) -> URL:
    """Return a mirror of the first 22 movies, which are three short pages; tests copy it."""
    url = new_database()
    with DatabaseManager(url) as db:
        fetch(db, grown.url)
    tell(grown, "add?count=5")
    return url


@pytest.fixture
def mirror(
    request: pytest.FixtureRequest, database_url: URL, monkeypatch: pytest.MonkeyPatch
) -> URL:
    """Return an empty mirror, or one that lacks the 5 newest movies; its pages are short."""
    shrink_pages(monkeypatch)
    if request.param == "empty":
        return database_url
    filled = request.getfixturevalue("filled")
    name = f"{filled.database}_{next(NUMBERS)}"
    statement = f"CREATE DATABASE {name} TEMPLATE {filled.database}"
    run_sql(filled.set(database="postgres"), statement)
    return filled.set(database=name)


@pytest.mark.parametrize(
    ("mirror", "settings", "options"),
    [
        pytest.param(
            mirror,
            settings,
            options,
            id=f"{mirror} {' '.join(options)}",
            marks=[] if mirror in mirrors else [pytest.mark.long],
        )
        for mirror in ("empty", "filled")
        for settings, options, mirrors in OPTIONS
    ],
    indirect=["mirror"],
)
def test_a_run_does_what_its_dry_run_has_announced(
    mirror: URL, grown: Sandbox, settings: dict[str, Any], options: tuple[str, ...]
) -> None:
    """
    The run makes as many requests and stores as many new movies as announced.

    The dry run makes one request and writes no row.
    """
    with DatabaseManager(mirror) as db:
        before, requests_before = hashes(db), counted(grown)["requests"]

        forecast = run_dry(grown, mirror, *options)

        assert hashes(db) == before, "nothing is written"
        assert counted(grown)["requests"] - requests_before == forecast["requests_made"] == 1
        report = fetch(db, grown.url, **settings)
    # The list ends with a page without movies, and a run begins with a probe.
    assert report.requests == pytest.approx(forecast["requests"], abs=1)
    if settings.get("ids") is None:
        assert report.counts.saved == forecast["new"]


def test_a_dry_run_creates_no_tables(new_database: Callable[..., URL], sandbox: Sandbox) -> None:
    """A database without tables counts as an empty mirror."""
    url = new_database(is_empty=True)

    forecast = run_dry(sandbox, url)

    assert (forecast["stored"], forecast["new"], forecast["pages"]) == (0, 200, 5)
    with DatabaseManager(url) as db:
        assert read_sql(db, "SELECT count(*) FROM pg_stat_user_tables") == [0]


@pytest.mark.parametrize("home", [".", "no/such/folder"])
def test_a_dry_run_creates_no_embedded_server(home: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """Without a server every movie is new; no home, data directory or log is created."""
    forecast = run_dry(sandbox, None, YTS_HOME=str(tmp_path / home))

    assert [forecast[it] for it in ("stored", "new", "details", "pages")] == [0, 200, 200, 5]
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_migrates_no_older_tables(
    db: DatabaseManager, database_url: URL, sandbox: Sandbox
) -> None:
    """It names the command that migrates, even if the older tables could be read."""
    run_sql(database_url, "UPDATE alembic_version SET version_num = '0009'")
    requests_before = counted(sandbox)["requests"]

    done = call(SCRIPT, "-n", "--api-url", sandbox.url, url=database_url)

    assert (done.returncode, done.stdout) == (5, "")
    assert "of revision 0009" in done.stderr
    assert "alembic upgrade head" in done.stderr
    assert read_sql(db, "SELECT version_num FROM alembic_version") == ["0009"]
    assert counted(sandbox)["requests"] == requests_before


def test_a_dry_run_prints_the_costs_and_the_command(sandbox: Sandbox, database_url: URL) -> None:
    """It prints the number of requests, their time at the rate, and the command of the real run."""
    command = ("--api-url", sandbox.url, "--rate", "2")

    done = call(SCRIPT, *command, "--dry-run", url=database_url)

    assert done.returncode == 0
    assert "nothing was written, and 1 request was made" in done.stdout
    assert "about 205, 1 min 42 s at 2 a second" in done.stdout
    assert done.stdout.splitlines()[-1].endswith(f"{SCRIPT} {' '.join(command)}")


def test_a_dry_run_refuses_what_a_run_would_refuse(db: DatabaseManager, database_url: URL) -> None:
    """Movies of the sandbox are never saved in a mirror of YTS."""
    row = "INSERT INTO sync_state (id, source) VALUES (1, 'yts')"
    with db.get_session() as session:
        session.connection().exec_driver_sql(row)

    done = call(SCRIPT, "-n", "--sandbox", url=database_url)

    assert done.returncode == 2
    assert "holds the real catalogue" in done.stderr
