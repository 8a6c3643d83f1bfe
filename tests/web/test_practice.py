"""`serve_movies.py --sandbox`: an empty database is filled with practice data, and served."""

import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
import requests
from sqlalchemy import URL

from cli.commands.practice import fill_with_practice_data
from database.db import DatabaseManager
from database.errors import SourceMismatch
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.processes.commands import start
from tests.support.runs import counted
from tests.web.test_command import root_of


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve 60 practice movies, which are two pages."""
    with open_sandbox(SandboxSettings(movies=60)) as running:
        yield running


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch, sandbox: Sandbox) -> Callable[[URL], list[str]]:
    """Return a function that does the part of the command before it serves, without vectors."""
    monkeypatch.setattr("cli.commands.practice.embed_after_fetch", lambda *_, **__: 0)

    def run(url: URL) -> list[str]:
        opened: list[str] = []

        @contextmanager
        def open_practice_api() -> Iterator[str]:
            opened.append(sandbox.url)
            yield sandbox.url

        options: dict[str, Any] = {"database_url": url, "quiet": True}
        with mock.patch("signal.signal"):
            fill_with_practice_data(options, open_practice_api)
        return opened

    return run


def test_an_empty_database_is_filled_and_a_filled_one_is_only_served(
    database_url: URL, sandbox: Sandbox, fill: Callable[[URL], list[str]]
):
    """Practice data of `fetch_yts_data.py --sandbox` counts as well: no API is opened again."""
    assert fill(database_url) == [sandbox.url]
    requests_made = counted(sandbox)["requests"]
    assert fill(database_url) == []

    assert counted(sandbox)["requests"] <= requests_made + 1, "the count is a request itself"
    with DatabaseManager(database_url) as db:
        stats = db.get_stats()
    assert stats["total_movies"] == stats["movies_with_details"] == 60
    process = start("serve_movies.py", "--sandbox", "--port", "0", url=database_url)
    listed = requests.get(f"{root_of(process)}/api/v2/list_movies.json", timeout=20).json()
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert listed["data"]["movie_count"] == 60
    assert process.returncode == 0


@pytest.mark.parametrize(
    "undone",
    [
        pytest.param(
            "DELETE FROM movies WHERE external_id > 40; "
            "UPDATE sync_state SET sweep_completed_at = NULL, next_page = 1",
            id="list",
        ),
        pytest.param(
            "UPDATE movies SET details_fetched_at = NULL WHERE external_id > 40", id="details"
        ),
    ],
)
def test_an_interrupted_filling_is_continued(
    database_url: URL, sandbox: Sandbox, fill: Callable[[URL], list[str]], undone: str
):
    """Only a complete run counts as filled."""
    fill(database_url)
    run_sql(database_url, undone, "UPDATE fetch_runs SET is_complete = false")

    assert fill(database_url) == [sandbox.url]

    with DatabaseManager(database_url) as db:
        stats = db.get_stats()
    assert stats["total_movies"] == stats["movies_with_details"] == 60


def test_a_real_mirror_is_refused_and_stays_as_it_was(
    database_url: URL, fill: Callable[[URL], list[str]]
):
    """As a fetch with `--sandbox` does; the message names another database as the way."""
    run_sql(database_url, "INSERT INTO movies (external_id, title) VALUES (1, 'Real')")

    with pytest.raises(SourceMismatch, match="YTS_HOME or DATABASE_URL"):
        fill(database_url)
    with DatabaseManager(database_url) as db:
        assert db.get_stats()["total_movies"] == 1
