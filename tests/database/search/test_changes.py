"""What a program that follows the mirror reads: movies that are new or changed since a time."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.orm import Session

from database.bookkeeping.missing import clear_missing, record_missing
from database.bookkeeping.models import SyncState
from database.db import DatabaseManager
from database.repository import MovieFilter, MovieRepository
from database.search.changes import OVERLAP, read_next_since
from database.writing.movies import read_clock
from tests.support.data.movies import movie, read_one, save, updated_at
from tests.support.databases import run_sql

MONDAY = datetime(2026, 11, 23, tzinfo=UTC)
DAY = timedelta(days=1)
ORIGIN = "https://yts.gg/api/v2"


def ids(session: Session, filters: MovieFilter) -> list[int]:
    """Return the YTS ids of the movies that *filters* let through."""
    return [film.external_id for film in MovieRepository(session).stream(filters)]


def test_movies_are_new_or_changed_from_the_given_microsecond_on(db: DatabaseManager):
    """`_since` includes the time itself, `_before` does not; the time zone makes no difference."""
    save(db, movie(1), movie(2), movie(3))
    for movie_id in (1, 2, 3):
        day = MONDAY + (movie_id - 1) * DAY
        run_sql(
            db.url,
            f"UPDATE movies SET created_at = '{day}', updated_at = '{day + DAY}' "
            f"WHERE external_id = {movie_id}",
        )
    tuesday = MONDAY + DAY
    elsewhere = tuesday.astimezone(datetime.strptime("+0530", "%z").tzinfo)
    with db.get_session() as session:
        assert ids(session, MovieFilter(added_since=tuesday)) == [2, 3]
        assert ids(session, MovieFilter(added_since=elsewhere)) == [2, 3]
        assert ids(session, MovieFilter(added_before=tuesday)) == [1]
        assert ids(session, MovieFilter(updated_since=tuesday)) == [1, 2, 3]
        assert ids(session, MovieFilter(updated_since=tuesday, added_before=tuesday)) == [1]
        assert ids(session, MovieFilter(updated_since=tuesday + 9 * DAY)) == []


@pytest.mark.parametrize("field", ["added_since", "added_before", "updated_since"])
def test_a_time_without_a_zone_is_refused(field: str):
    """It could mean different moments."""
    with pytest.raises(ValueError, match=f"{field} needs a time zone"):
        MovieFilter(**{field: MONDAY.replace(tzinfo=None)})


def test_a_movie_that_goes_and_comes_back_has_changed_both_times(db: DatabaseManager):
    """A program that follows learns that it is gone, with `with_gone`, and that it is back."""
    save(db, movie(1), movie(2))
    stored = updated_at(db, 1)
    with db.get_session() as session:
        session.add(SyncState(is_gone_check_due=True, confirmed_origin=ORIGIN))
        session.flush()
        record_missing(session, [1], ORIGIN)
    gone = updated_at(db, 1)

    assert read_one(db, "gone_since", 1) == gone > stored
    with db.get_session() as session:
        assert ids(session, MovieFilter(updated_since=gone)) == []
        assert ids(session, MovieFilter(updated_since=gone, with_gone=True)) == [1]
        clear_missing(session, [1, 2])
    with db.get_session() as session:
        assert ids(session, MovieFilter(updated_since=gone + timedelta.resolution)) == [1]


def test_a_program_that_asks_from_the_next_since_on_misses_no_movie(db: DatabaseManager):
    """Not even one whose transaction began before a request and was committed after it."""
    with db.get_session() as writer:
        began = read_clock(writer)
        with db.get_session() as reader:
            since = read_next_since(reader)
            assert ids(reader, MovieFilter()) == []
        writer.connection().exec_driver_sql(
            "INSERT INTO movies (external_id, title) VALUES (1, 'Late')"
        )
    with db.get_session() as reader:
        assert began - timedelta(seconds=5) < since < read_one(db, "created_at", 1)
        assert ids(reader, MovieFilter(added_since=since)) == [1]
        assert read_next_since(reader) > began - timedelta(seconds=2)


def test_where_transactions_of_others_are_hidden_the_next_since_is_an_hour_ago(
    db: DatabaseManager,
):
    """A role of its own cannot see when the transactions of a fetch began."""
    role = f"{db.url.database}_reader"
    run_sql(db.url, f"CREATE ROLE {role}")
    engine = create_engine(db.url)
    try:
        with db.get_session() as fetch, engine.connect() as connection:
            began = read_clock(fetch)
            connection.execute(text(f"SET ROLE {role}"))
            with Session(connection) as session:
                since = read_next_since(session)
        assert (
            began - OVERLAP - timedelta(seconds=5) < since < began + timedelta(seconds=5) - OVERLAP
        )
    finally:
        engine.dispose()
        run_sql(db.url, f"DROP ROLE {role}")
