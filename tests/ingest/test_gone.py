"""Movies that vanish upstream are marked, when it is certain."""

import pytest

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.runs import counted, fetch, impatient_client, read_sql, set_faults, tell

GONE = "SELECT external_id FROM movies WHERE gone_since IS NOT NULL ORDER BY 1"


def test_a_movie_that_vanished_is_marked_and_kept(db: DatabaseManager, sandbox: Sandbox):
    """
    Off the list and unknown by its id: it is gone, and its row, genres and torrents stay.
    """
    fetch(db, sandbox.url)
    before = db.get_stats()
    tell(sandbox, "remove?ids=10")

    cron = fetch(db, sandbox.url)
    assert read_sql(db, GONE) == [], "a cron run does not see the whole list"
    swept = fetch(db, sandbox.url, full=True)

    assert read_sql(db, GONE) == [10]
    assert (cron.exit_code, swept.exit_code) == (0, 0)
    assert db.get_stats()["total_torrents"] == before["total_torrents"]


def test_a_movie_that_comes_back_loses_the_mark(db: DatabaseManager, sandbox: Sandbox):
    """
    Any page that lists it again, or details of it, take the mark away.
    """
    fetch(db, sandbox.url)
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 10")

    fetch(db, sandbox.url, full=True)

    assert read_sql(db, GONE) == []


def test_an_unlisted_movie_that_has_details_is_not_gone(db: DatabaseManager, sandbox: Sandbox):
    """
    The list alone is no proof; a movie saved by hand is asked for, and stays without a mark.
    """
    fetch(db, sandbox.url)
    run_sql(
        db.url,
        "UPDATE listed_movies SET external_id = 999999 WHERE external_id = 12",
        # The sweep of the whole list goes on behind movie 12 and does not see it again.
        "UPDATE sync_state SET sweep_began_at = now()",
    )

    report = fetch(db, sandbox.url)

    assert report.is_sweep_complete
    assert counted(sandbox)["ids"]["12"] == 2, "it was not asked for again"
    assert read_sql(db, GONE) == []


def test_too_many_at_once_trip_the_guard(db: DatabaseManager, sandbox: Sandbox):
    """
    Twenty, or one in a hundred, are believed; more are rather a broken list, and mark nothing.
    """
    fetch(db, sandbox.url)
    ids = read_sql(db, "SELECT external_id FROM movies ORDER BY 1 LIMIT 21")
    # They are stored, and the list has never named them.
    run_sql(db.url, "UPDATE movies SET external_id = external_id + 900000 WHERE external_id < 30")
    vanished = read_sql(db, "SELECT count(*) FROM movies WHERE external_id > 900000")[0]
    assert vanished > len(ids)

    report = fetch(db, sandbox.url, full=True)

    assert report.exit_code == 6
    assert f"{vanished} of {200 + vanished}" in str(report.ended_early)
    assert read_sql(db, GONE) == []
    assert not report.is_complete


def test_an_outage_marks_nothing(
    db: DatabaseManager, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """
    A movie that is off the list while details do not come is not called gone.
    """
    impatient_client(monkeypatch, attempts=1)
    fetch(db, sandbox.url)
    tell(sandbox, "remove?ids=10")
    fetch(db, sandbox.url, full=True, max_requests=4)  # the list, and not the proof
    set_faults(sandbox, other_movie=1.0)

    fetch(db, sandbox.url, full=True)

    assert read_sql(db, GONE) == []


def test_a_row_that_cannot_be_read_is_listed_all_the_same(db: DatabaseManager, sandbox: Sandbox):
    """
    More unreadable rows than the guard allows are neither gone nor a reason to read again.
    """
    fetch(db, sandbox.url)
    ids = read_sql(db, "SELECT external_id FROM movies ORDER BY 1 LIMIT 3")
    tell(sandbox, f"corrupt?ids={','.join(map(str, ids))}&how=wrong-types")

    report = fetch(db, sandbox.url, full=True, details=False)

    assert (report.exit_code, report.counts.failed) == (3, 3)
    assert report.is_sweep_complete
    assert read_sql(db, GONE) == []
