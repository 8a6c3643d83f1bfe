"""`select_ids`: how PostgreSQL finds the pages of the YTS API."""

from sqlalchemy import text

from database.db import DatabaseManager
from database.serving.yts_lists import YtsList, select_ids
from tests.support.databases import run_sql

#: As long as real ones: reading a short table as a whole costs less than an index.
MANY = """
    INSERT INTO movies (external_id, title, summary)
    SELECT n, 'Lamp', repeat('A lamp. ', 100) FROM generate_series(1, 3000) n
"""
#: Rows of movies that this transaction has read without an index.
READ_WHOLE = text("SELECT seq_tup_read FROM pg_stat_xact_user_tables WHERE relname = 'movies'")


def test_a_page_of_the_newest_movies_is_found_without_reading_all(db: DatabaseManager):
    """Also while a first fetch fills the table, of which PostgreSQL has no statistics yet."""
    run_sql(db.url, MANY)
    with db.get_session() as session:
        before = session.scalar(READ_WHOLE)
        ids = session.scalars(select_ids(YtsList()).limit(2).offset(50)).all()
        after = session.scalar(READ_WHOLE)

    assert ids == [2950, 2949]
    assert after == before


def test_movies_that_are_gone_are_on_no_page(db: DatabaseManager):
    """Wherever they would stand."""
    run_sql(db.url, MANY, "UPDATE movies SET gone_since = now() WHERE external_id IN (7, 2999)")
    with db.get_session() as session:
        newest = session.scalars(select_ids(YtsList()).limit(2)).all()
        present = session.scalars(select_ids(YtsList())).all()

    assert newest == [3000, 2998]
    assert {*present} == {*range(1, 3001)} - {7, 2999}
