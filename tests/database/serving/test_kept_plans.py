"""Plans of the server and of workers: made once for each connection, again after growth."""

from collections.abc import Iterator
from contextlib import closing
from functools import partial

import pytest
from sqlalchemy import URL, text
from sqlalchemy.orm import Session

import database.connection.kept_plans
import database.connection.plan_age
from database.connection.kept_plans import run_kept
from database.connection.plan_age import PlanAge
from database.db import DatabaseManager
from database.search.similar.ranking import similar_movies
from database.serving.read_only import ReadOnlyDatabase
from database.sql import plan_once
from database.step import Step, save_step
from tests.support.data.movies import movie, payloads, read
from tests.support.databases import run_sql

#: A table whose rows were deleted keeps its size.
NONE = "TRUNCATE movies CASCADE"
MANY = """
    INSERT INTO movies (external_id, title) SELECT n, 'Lamp' FROM generate_series(1, 3000) n
"""
KEPT = text("SELECT name, generic_plans + custom_plans FROM pg_prepared_statements ORDER BY name")
_ONE = plan_once(text("SELECT 1"))
BY_ID = "SELECT title FROM movies WHERE external_id = "


@pytest.fixture
def reading(db: DatabaseManager) -> Iterator[ReadOnlyDatabase]:
    """Open a connection of the server."""
    database = ReadOnlyDatabase(db.url, 1)
    yield database
    database.close()


def test_a_marked_statement_is_planned_once(reading: ReadOnlyDatabase):
    """Values and signs mean the same as in other statements."""
    marked = plan_once(text("SELECT :word || '%' || CAST(:word AS text), CAST(:ids AS bigint[])"))

    def read(session: Session) -> list:
        found = [
            session.execute(marked, {"word": word, "ids": ids}).one()
            for word, ids in (("a'%s", [1, 2]), ("b", []))
        ]
        return [*found, *session.execute(KEPT)]

    assert reading.run(read) == [("a'%s%a'%s", [1, 2]), ("b%b", []), ("kept_0", 2)]


def test_a_worker_plans_the_statements_of_a_step_once(db: DatabaseManager):
    """They are the same for all values, so not even the first steps are planned for theirs."""
    with DatabaseManager(db.url, pool_size=1, max_overflow=0, is_keyed=True) as worker:
        for step in (range(1, 4), range(4, 7)):
            save_step(worker, None, Step(tuple(payloads([movie(number) for number in step]))))
        plans = read(worker, "SELECT generic_plans, custom_plans FROM pg_prepared_statements")

    assert len(plans) > 5
    assert min(generic for generic, _ in plans) >= 2
    assert {custom for _, custom in plans} == {0}


def test_movies_like_another_one_need_no_other_plans(mirror_url: URL):
    """Otherwise each movie would cost a plan, and those of searches would be forgotten for it."""

    def read(session: Session, row_id: int) -> int:
        similar_movies(session, row_id)
        return len(session.execute(KEPT).all())

    with closing(ReadOnlyDatabase(mirror_url, 1)) as reading:
        first, *others = (reading.run(partial(read, row_id=row_id)) for row_id in (1, 2, 3))

    assert first > 0
    assert others == [first, first]


def test_a_statement_whose_type_has_changed_is_prepared_again(
    reading: ReadOnlyDatabase, db: DatabaseManager
):
    """As after a migration: no request fails."""
    run_sql(db.url, "CREATE VIEW lamps AS SELECT 1 AS n")
    read = partial(Session.scalar, statement=plan_once(text("SELECT n FROM lamps")))
    assert reading.run(read) == 1
    run_sql(db.url, "DROP VIEW lamps", "CREATE VIEW lamps AS SELECT 'one' AS n")

    assert reading.run(read) == "one"
    run_sql(db.url, "DROP VIEW lamps")


@pytest.mark.parametrize("is_keyed", [True, False])
def test_lists_mean_the_same_in_kept_statements(db: DatabaseManager, is_keyed: bool):
    """All signs are part of a text."""
    given = {"ids": [1, -2], "texts": ["a", "", "NULL", "{,}", "'%s", '"\\"', "\\n\n"], "none": []}
    same = plan_once(
        text("SELECT CAST(:ids AS bigint[]), CAST(:texts AS text[]), CAST(:none AS text[])")
    )
    with DatabaseManager(db.url, pool_size=1, max_overflow=0, is_keyed=is_keyed) as worker:
        rows = worker.run_transaction(partial(run_kept, statement=same, values=given))

    assert rows == [tuple(given.values())]


@pytest.mark.parametrize("is_keyed", [True, False])
def test_a_worker_prepares_a_statement_again_whose_type_has_changed(
    db: DatabaseManager, is_keyed: bool
):
    """A transaction that meets the old plan is repeated; other connections prepare none."""
    find = partial(run_kept, statement=plan_once(text("SELECT n FROM lamps")), values={})
    run_sql(db.url, "CREATE VIEW lamps AS SELECT 1 AS n")
    with DatabaseManager(db.url, pool_size=1, max_overflow=0, is_keyed=is_keyed) as worker:
        assert worker.run_transaction(find) == [(1,)]
        run_sql(db.url, "DROP VIEW lamps", "CREATE VIEW lamps AS SELECT 'one' AS n")

        assert worker.run_transaction(find) == [("one",)]
        assert len(read(worker, "SELECT FROM pg_prepared_statements")) == is_keyed
    run_sql(db.url, "DROP VIEW lamps")


def test_a_transaction_whose_connection_is_lost_is_repeated(db: DatabaseManager):
    """Also if a kept statement is the first one that notices it."""
    end = plan_once(text("SELECT pg_terminate_backend(pg_backend_pid())"))
    attempts = []

    def work(session: Session) -> list:
        attempts.append(session)
        return run_kept(session, end if len(attempts) == 1 else _ONE, {})

    with DatabaseManager(db.url, pool_size=1, max_overflow=0, is_keyed=True) as worker:
        assert worker.run_transaction(work) == [(1,)]
    assert len(attempts) == 2


def test_the_statements_that_were_used_last_are_kept(
    reading: ReadOnlyDatabase, monkeypatch: pytest.MonkeyPatch
):
    """The others are prepared again."""
    monkeypatch.setattr(database.connection.kept_plans, "_MOST_KEPT", 2)

    def read(session: Session) -> list:
        found = [session.scalar(plan_once(text(f"SELECT {n}"))) for n in (1, 2, 1, 3, 2)]
        return [*found, *(name for name, _ in session.execute(KEPT))]

    assert reading.run(read) == [1, 2, 1, 3, 2, "kept_2", "kept_3"]


def test_plans_of_sessions_are_made_again_when_movies_have_come(
    reading: ReadOnlyDatabase, db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """As on the loop."""
    run_sql(db.url, NONE)
    monkeypatch.setattr(database.connection.plan_age, "CHECK_SECONDS", 0.0)

    def read(session: Session) -> str:
        session.execute(plan_once(text(f"{BY_ID} CAST(:id AS integer)")), {"id": 7})
        return str(session.execute(text("EXPLAIN EXECUTE kept_0(7)")).all())

    before = reading.run(read)
    run_sql(db.url, MANY)
    after = reading.run(read)
    assert after != before
    assert "uq_movies_external_id" in after


def test_one_table_that_has_doubled_outdates_all_plans():
    """Movies come with a list, and the people who play in them long after."""
    age = PlanAge()
    sizes = [(8, 0), (16, 0), (17, 0), (17, 8), (34, 16), (17, 17)]

    assert [age.is_outgrown(each) for each in sizes] == [True, False, True, True, False, True]
