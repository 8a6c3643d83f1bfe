"""`summarize`: the text at the end of a fetch, and the suggested next commands."""

import sys
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import URL

from cli.fetch.summary import summarize
from database.db import DatabaseManager
from ingest.report import Counts, RunReport
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.processes.commands import call

STATS = dict.fromkeys(("total_movies", "movies_with_details", "total_cast", "total_torrents"), 1)


def summary(**values: Any) -> str:
    """Return the summary of a run that found nothing new, except for *values*."""
    facts = {
        "exit_code": 0,
        "ended_early": None,
        "counts": Counts(),
        "requests": 3,
        "pages_read": 2,
        "seconds": 1.0,
        "failures": (),
        "unknown_fields": Counter[str](),
        "is_sweep_complete": True,
        "is_complete": True,
    }
    return summarize(RunReport(**{**facts, **values}), STATS, "again")


def test_nothing_new_needs_a_complete_run():
    """The summary says "Nothing new" only after a complete run without changes."""
    assert summary().startswith("Nothing new: 3 requests were enough to see it.")
    assert summary(requests=1).startswith("Nothing new: 1 request was enough to see it.")
    assert summary(is_complete=False).startswith("Done: no movie was added or changed.")
    left = "work is left for the next run: 7 ids"
    assert summary(is_complete=False, work_left=left).startswith(f"Done, but {left}.")
    for other in ({"counts": Counts(saved=1)}, {"counts": Counts(updated=1)}):
        assert summary(**other).startswith("Done.\n")


@pytest.mark.parametrize(
    "typed",
    [["--ids", "1-5"], ["--ids=1-5"], ["--full", "--max-pages", "1"], ["--retry-failed"],
     ["--update", "--stale-after", "30d"]],
    ids=" ".join,
)  # fmt: skip
def test_the_suggested_command_fetches_what_is_new(
    typed: list[str], monkeypatch: pytest.MonkeyPatch
):
    """It is the command of the run without the options that choose movies."""
    monkeypatch.setattr(sys, "argv", ["x", "--sandbox", *typed, "--workers", "4"])

    (suggested,) = (line for line in summary().splitlines() if "fetch what is new" in line)

    assert suggested.endswith("fetch_yts_data.py --sandbox --workers 4")


def test_a_summary_ends_with_the_command_that_serves_the_mirror(monkeypatch: pytest.MonkeyPatch):
    """It serves the database that the run has filled."""
    monkeypatch.setattr(sys, "argv", ["x", "--sandbox", "--database-url", "postgresql://h/movies"])

    last = summary().splitlines()[-1]

    assert last.endswith("serve_movies.py --database-url postgresql://h/movies")


@pytest.fixture(scope="module")
def source() -> Iterator[Sandbox]:
    """Serve 60 practice movies."""
    with open_sandbox(SandboxSettings(movies=60)) as running:
        yield running


@pytest.fixture(scope="module")
def mirror(source: Sandbox, new_database: Callable[..., URL]) -> URL:
    """Return a complete mirror of *source*."""
    url = new_database()
    assert call("fetch_yts_data.py", *options_of(source), url=url).returncode == 0
    return url


def options_of(source: Sandbox) -> tuple[str, ...]:
    """Return the options that fetch from *source*."""
    return "--api-url", source.url, "--rate", "0"


@pytest.mark.parametrize(
    "options",
    [("--full", "--max-pages", "1"), ("--retry-failed",), ("--ids", "90000-90002"),
     ("--ids", "1-3")],
    ids=" ".join,
)  # fmt: skip
def test_a_run_that_did_not_look_for_new_movies_does_not_mention_them(
    options: tuple[str, ...], source: Sandbox, mirror: URL
):
    """Runs of a part of the list, of failures or of given ids do not say "Nothing new"."""
    done = call("fetch_yts_data.py", *options_of(source), *options, url=mirror)

    assert done.returncode == 0, done.stderr
    with DatabaseManager(mirror) as db:
        assert db.get_stats()["total_movies"] == 60
    assert done.stdout.startswith("Done: no movie was added or changed.")
