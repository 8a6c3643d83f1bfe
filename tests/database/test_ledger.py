"""The ledger of failures, missing movies, and the progress of sweeps."""

from datetime import timedelta

from database.bookkeeping.due import count_due_for_details, read_ids_without_details
from database.bookkeeping.failures import (
    FIRST_RETRY,
    LONGEST_RETRY,
    Failure,
    record_failures,
)
from database.bookkeeping.missing import record_missing
from database.bookkeeping.sweep_state import (
    begin_sweep,
    complete_sweep,
    read_state,
    remember_progress,
)
from database.db import DatabaseManager
from tests.support.data.movies import list_row, movie, read, save
from tests.support.databases import run_sql


def _failure(key: str, message: str = "no answer") -> Failure:
    return Failure("movie", key, "fetch", "YtsUnavailable", message)


def test_the_pause_before_another_attempt_doubles_up_to_two_weeks(db: DatabaseManager) -> None:
    """After any number of failures, the next attempt follows within two weeks."""
    pauses: list[timedelta] = []
    for _ in range(25):
        with db.get_session() as session:
            record_failures(session, [_failure("1")])
        pauses += read(db, "SELECT next_attempt_at - last_failed_at FROM fetch_failures")

    assert pauses[:4] == [FIRST_RETRY * 2**number for number in range(4)]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST_RETRY


def test_a_failure_keeps_its_first_time_and_its_last_reason(db: DatabaseManager) -> None:
    """Each page or movie has one row with its attempts; of two failures at once the last counts."""
    with db.get_session() as session:
        record_failures(session, [_failure("1", "first")])
    (first,) = read(db, "SELECT first_failed_at FROM fetch_failures")
    with db.get_session() as session:
        record_failures(session, [_failure("1", "second"), _failure("1", "third")])

    facts = "SELECT message, attempts, first_failed_at, last_failed_at > first_failed_at FROM "
    assert read(db, facts + "fetch_failures") == [("third", 2, first, True)]


def test_movies_due_for_details_are_those_not_tried_lately(db: DatabaseManager) -> None:
    """The newest come first; a failure or a missing movie waits until its next attempt is due."""
    save(db, *(list_row(movie(number)) for number in range(1, 6)), has_details=False)
    save(db, movie(4))
    with db.get_session() as session:
        record_failures(session, [_failure("3"), _failure("2")])
        record_missing(session, [1], "https://yts.gg/api/v2")
        record_missing(session, [1], "https://yts.gg/api/v2")
    with db.get_session() as session:
        assert read_ids_without_details(session, 100, 10) == [5]
        assert count_due_for_details(session) == 1
    run_sql(
        db.url,
        "UPDATE fetch_failures SET next_attempt_at = now() WHERE key = '3'",
        "UPDATE missing_movies SET ask_again_at = now()",
    )
    with db.get_session() as session:
        assert read_ids_without_details(session, 100, 10) == [5, 3, 1]
        assert read_ids_without_details(session, 5, 1) == [3]
        assert count_due_for_details(session) == 3


def test_a_completed_sweep_moves_the_watermark_to_the_highest_id(db: DatabaseManager) -> None:
    """The next run continues at the end of the list."""
    save(db, movie(7), movie(3))
    with db.get_session() as session:
        begin_sweep(session, is_updating=False, origin="https://yts.gg/api/v2")
        remember_progress(session, next_page=5, movie_count=0, recheck_page=None)
    with db.get_session() as session:
        assert (
            read_state(session).next_page,
            read_state(session).watermark_movie_id,
        ) == (5, None)
        complete_sweep(session, origin="https://yts.gg/api/v2", rows=0)
        assert read_state(session).is_gone_check_due
    with db.get_session() as session:
        state = read_state(session)
        assert (state.next_page, state.watermark_movie_id, state.movie_count) == (5, 7, 0)
        assert state.sweep_completed_at is not None
        assert state.sweep_began_at is None
