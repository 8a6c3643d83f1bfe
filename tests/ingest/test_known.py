"""Known ids are left out before a worker gets a batch."""

import pytest

from database.db import DatabaseManager
from ingest.backends import processes
from ingest.ids import parse_ids
from ingest.phases import read_details
from ingest.stop import StopRequest
from sandbox.api.sandbox_server import Sandbox
from tests.support.runs import fetch, read_sql


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(read_details, "IDS_PER_LOOK", 16)


def test_every_id_is_either_known_or_asked_for(db: DatabaseManager, sandbox: Sandbox):
    """None of the known ids is requested, and none of the others is left out."""
    fetch(db, sandbox.url, ids=parse_ids("1-20,38-52"))
    report = fetch(db, sandbox.url, ids=parse_ids("1-60"))

    stored = read_sql(
        db, "SELECT count(*) FROM movies WHERE external_id <= 20 OR external_id BETWEEN 38 AND 52"
    )[0]
    assert report.counts.skipped == stored
    assert report.counts.planned == 60
    # One more request shows whether YTS gives a movie that it gave before.
    assert report.requests == 2 + 60 - stored


def test_known_ids_start_no_process(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A range of stored ids costs a few queries, and starts no worker processes."""
    fetch(db, sandbox.url, ids=parse_ids("1-60"))
    ids = tuple(
        range(id_, id_ + 1) for id_ in read_sql(db, "SELECT external_id FROM movies ORDER BY 1")
    )
    monkeypatch.setattr(processes, "open_processes", None)

    report = fetch(db, sandbox.url, ids=ids, workers=4)

    assert (report.counts.skipped, report.requests) == (len(ids), 1)


def test_a_stop_ends_a_walk_over_known_ids(db: DatabaseManager, sandbox: Sandbox):
    """Between two queries the run notices the stop, and updates its row."""
    fetch(db, sandbox.url, ids=parse_ids("1-60"))
    known = read_sql(db, "SELECT count(*) FROM movies WHERE external_id <= 16")[0]
    stop, seen = StopRequest(), []

    def end_soon(row):
        seen.append(row["details_read"])
        if row["details_read"]:
            stop.set()

    report = fetch(db, sandbox.url, ids=parse_ids("1-60"), stop=stop, progress=end_soon)

    assert report.counts.skipped == known
    assert known in seen
    assert report.exit_code == 130
