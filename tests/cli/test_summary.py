"""The last sentences of a fetch are true of what it did."""

import sys
from collections import Counter
from typing import Any

import pytest
from sqlalchemy import URL

from cli.fetch.summary import summarize
from database.db import DatabaseManager
from ingest.report import Counts, RunReport
from sandbox.api.sandbox_server import Sandbox
from tests.support.commands import call

STATS = dict.fromkeys(("total_movies", "movies_with_details", "total_cast", "total_torrents"), 1)


def summary(**values: Any) -> str:
    """Return what is said of a run that differs in *values* from one that found nothing new."""
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


def test_nothing_new_is_said_only_after_the_whole_list():
    """And only of a run that was complete; one request is one."""
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
def test_what_is_new_is_fetched_by_what_is_proposed(
    typed: list[str], monkeypatch: pytest.MonkeyPatch
):
    """The command as it was typed, without what chooses other movies."""
    monkeypatch.setattr(sys, "argv", ["x", "--sandbox", *typed, "--workers", "4"])

    (proposed,) = (line for line in summary().splitlines() if "fetch what is new" in line)

    assert proposed.endswith("fetch_yts_data.py --sandbox --workers 4")


@pytest.mark.parametrize(
    "options",
    [("--full", "--max-pages", "1"), ("--retry-failed",), ("--ids", "90000-90002"),
     ("--ids", "1-3")],
    ids=" ".join,
)  # fmt: skip
def test_a_run_that_did_not_look_for_new_movies_does_not_speak_of_them(
    options: tuple[str, ...], db: DatabaseManager, sandbox: Sandbox, database_url: URL
):
    """A part of the list, failures, and chosen ids say nothing of what is new."""
    source = ("--api-url", sandbox.url, "--rate", "0")
    assert call("fetch_yts_data.py", *source, url=database_url).returncode == 0

    done = call("fetch_yts_data.py", *source, *options, url=database_url)

    assert done.returncode == 0, done.stderr
    assert db.get_stats()["total_movies"] == 200
    assert done.stdout.startswith("Done: no movie was added or changed.")
