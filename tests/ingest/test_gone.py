"""Movies that YTS removes are marked as gone, once that is certain."""

import pytest

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.first_runs import fetch_first
from tests.support.runs import (
    FEW_MOVIES,
    counted,
    fetch,
    impatient_client,
    read_sql,
    set_faults,
    tell,
)

GONE = "SELECT external_id FROM movies WHERE gone_since IS NOT NULL ORDER BY 1"


def test_a_movie_that_vanished_is_marked_and_kept(db: DatabaseManager, short_sandbox: Sandbox):
    """A movie that neither the list nor its id shows is gone; its row and torrents stay."""
    fetch_first(db, short_sandbox)
    before = db.get_stats()
    tell(short_sandbox, "remove?ids=10")

    cron = fetch(db, short_sandbox.url)
    assert read_sql(db, GONE) == [], "a cron run does not see the whole list"
    swept = fetch(db, short_sandbox.url, full=True)

    assert read_sql(db, GONE) == [10]
    assert (cron.exit_code, swept.exit_code) == (0, 0)
    assert db.get_stats()["total_torrents"] == before["total_torrents"]


def test_a_movie_that_comes_back_loses_the_mark(db: DatabaseManager, short_sandbox: Sandbox):
    """A page that lists the movie again removes the mark, and so do its details."""
    fetch_first(db, short_sandbox)
    run_sql(db.url, "UPDATE movies SET gone_since = now() WHERE external_id = 10")

    fetch(db, short_sandbox.url, full=True)

    assert read_sql(db, GONE) == []


def test_an_unlisted_movie_that_has_details_is_not_gone(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """The list alone is not a proof: such a movie is requested, and is not marked."""
    fetch_first(db, short_sandbox)
    run_sql(
        db.url,
        "UPDATE listed_movies SET external_id = 999999 WHERE external_id = 12",
        # The sweep of the whole list continues after movie 12 and does not see it again.
        "UPDATE sync_state SET sweep_began_at = now()",
    )
    # The first run has requested it, unless its tables were copied.
    before = counted(short_sandbox)["ids"].get("12", 0)

    report = fetch(db, short_sandbox.url)

    assert report.is_sweep_complete
    again = counted(short_sandbox)["ids"]["12"] - before
    assert again == 1, "the movie was not requested again"
    assert read_sql(db, GONE) == []


def test_too_many_vanished_movies_at_once_end_the_run(db: DatabaseManager, short_sandbox: Sandbox):
    """Up to 20 movies, or 1 %, are believed; more are a broken list, and none is marked."""
    fetch_first(db, short_sandbox)
    ids = read_sql(db, "SELECT external_id FROM movies ORDER BY 1 LIMIT 21")
    # They are stored, and the list does not name them.
    run_sql(db.url, "UPDATE movies SET external_id = external_id + 900000 WHERE external_id < 30")
    vanished = read_sql(db, "SELECT count(*) FROM movies WHERE external_id > 900000")[0]
    assert vanished > len(ids)

    report = fetch(db, short_sandbox.url, full=True)

    assert report.exit_code == 6
    assert f"{vanished} of {FEW_MOVIES + vanished}" in str(report.ended_early)
    assert read_sql(db, GONE) == []
    assert not report.is_complete


def test_an_outage_marks_nothing(
    db: DatabaseManager, short_sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
):
    """A movie that is not on the list is not marked while details cannot be fetched."""
    impatient_client(monkeypatch, attempts=1)
    fetch_first(db, short_sandbox)
    tell(short_sandbox, "remove?ids=10")
    fetch(db, short_sandbox.url, full=True, max_requests=4)  # the list, and not the movie itself
    set_faults(short_sandbox, other_movie=1.0)

    fetch(db, short_sandbox.url, full=True)

    assert read_sql(db, GONE) == []


def test_a_row_that_cannot_be_read_is_listed_all_the_same(
    db: DatabaseManager, short_sandbox: Sandbox
):
    """Movies whose rows cannot be read are neither marked nor a reason to read the list again."""
    fetch_first(db, short_sandbox)
    ids = read_sql(db, "SELECT external_id FROM movies ORDER BY 1 LIMIT 3")
    tell(short_sandbox, f"corrupt?ids={','.join(map(str, ids))}&how=wrong-types")

    report = fetch(db, short_sandbox.url, full=True, details=False)

    assert (report.exit_code, report.counts.failed) == (3, 3)
    assert report.is_sweep_complete
    assert read_sql(db, GONE) == []
