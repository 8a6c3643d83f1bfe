"""Movies that vanish upstream, and movies that move while a sweep reads."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from database.sync import read_state
from ingest.sweep import OldestFirst
from sandbox.server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.ingest.runs import MOVIES, counted, fetch, impatient_client, read_sql, set_faults, tell
from tests.ingest.test_sweep import page_of

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
    with db.get_session() as session:
        session.connection().exec_driver_sql(
            "UPDATE movies SET gone_since = now() WHERE external_id = 10"
        )

    fetch(db, sandbox.url, full=True)

    assert read_sql(db, GONE) == []


def test_an_unlisted_movie_that_has_details_is_not_gone(db: DatabaseManager, sandbox: Sandbox):
    """
    The list alone is no proof; a movie saved by hand is asked for, and stays without a mark.
    """
    fetch(db, sandbox.url)
    with db.get_session() as session:
        session.connection().exec_driver_sql("UPDATE sync_state SET watermark_movie_id = NULL")
    with db.get_session() as session:
        session.connection().exec_driver_sql(
            "UPDATE listed_movies SET external_id = 999999 WHERE external_id = 12"
        )
        state = read_state(session)
        state.next_page = 4  # The sweep goes on behind movie 12 and does not see it again.

    report = fetch(db, sandbox.url)

    assert report.is_sweep_complete
    assert counted(sandbox)["ids"]["12"] == 2, "it was not asked for again"
    assert read_sql(db, GONE) == []


def test_too_many_at_once_trip_the_guard(db: DatabaseManager, sandbox: Sandbox):
    """
    More than one in a hundred is rather a broken list: nothing is asked, nothing is marked.
    """
    fetch(db, sandbox.url)
    tell(sandbox, "remove?ids=10,11,12")

    report = fetch(db, sandbox.url, full=True)

    assert report.exit_code == 6
    assert "3 of 200" in str(report.ended_early)
    assert read_sql(db, GONE) == []


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


def test_a_sweep_that_may_have_missed_a_movie_is_repeated_once(
    db: DatabaseManager, sandbox: Sandbox
):
    """
    When fewer movies were seen than YTS counted, the watermark waits for another sweep.
    """
    fetch(db, sandbox.url, details=False)
    with db.get_session() as session:
        session.connection().exec_driver_sql(
            "UPDATE sync_state SET watermark_movie_id = NULL, next_page = 4"
        )
        # As if movies had moved to pages already read while others were removed.
        session.connection().exec_driver_sql("DELETE FROM listed_movies WHERE external_id < 5")

    first = fetch(db, sandbox.url, details=False)
    second = fetch(db, sandbox.url, details=False)

    assert (first.is_sweep_complete, second.is_sweep_complete) == (False, True)
    assert first.pages_read < second.pages_read == MOVIES / 50 + 1


@pytest.mark.parametrize("change", ["remove?ids=1,2,3", "add?count=60"])
def test_what_moves_while_a_sweep_reads_is_not_missed(
    new_database: Callable[..., URL], change: str
):
    """
    Removals shift unread movies to pages already read; the next run has them all the same.
    """
    changes = [change]

    def interfere(row: dict[str, Any]) -> None:
        if row["pages_read"] >= 2 and changes:
            tell(sandbox, changes.pop())

    settings = SandboxSettings(movies=400, latency_seconds=0.1)
    with open_sandbox(settings) as sandbox, DatabaseManager(new_database()) as db:
        fetch(db, sandbox.url, details=False, progress=interfere)
        assert not changes, "nothing was changed"
        fetch(db, sandbox.url, details=False)
        with DatabaseManager(new_database()) as afterwards:
            fetch(afterwards, sandbox.url, details=False)
            present = set(read_sql(afterwards, "SELECT external_id FROM movies"))

        assert present <= set(read_sql(db, "SELECT external_id FROM movies"))


def test_the_count_of_a_sweep_follows_what_was_added_meanwhile():
    """
    Removed movies are still expected, for they were listed once; added ones are expected too.
    """
    sweep = OldestFirst(1, None)
    for page, counted_then in ((1, 300), (2, 298), (3, 301)):
        sweep.take(page_of(page, 300, counted=counted_then))

    assert sweep.movies_expected == 303
