"""`LoopDatabase`: statements on an event loop, and connections that are cut."""

import asyncio

import pytest
from sqlalchemy import select, text

import database.connection.plan_age
from database.db import DatabaseManager
from database.errors import DatabaseAway, DatabaseNotReady
from database.models import Movie
from database.serving.loop_database import LoopDatabase
from database.serving.prepared import Prepared, Reading
from tests.support.databases import run_sql
from tests.support.servers.loop_reads import read_on_loop

CUT = (
    "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity "
    "WHERE application_name = 'yts-mirror server' AND datname = current_database()"
)
#: A table whose rows were deleted keeps its size.
NONE = "TRUNCATE movies CASCADE"
MANY = """
    INSERT INTO movies (external_id, title) SELECT n, 'Lamp' FROM generate_series(1, 3000) n
"""
TWICE = Prepared("twice", "integer, text", "SELECT $1 * 2, $2")


async def twice(reading: Reading) -> list:
    """Return a number and a long text, which does not fit into a packet."""
    return await reading.read_rows(TWICE, 21, "%s/" * 400_000)


def test_reads_run_at_the_same_time_on_connections_of_their_own(db: DatabaseManager):
    """Also if statement and result are larger than the buffers of the system."""

    async def main(database: LoopDatabase) -> list:
        return await asyncio.gather(*(database.run(twice) for _ in range(3)))

    assert read_on_loop(db.url, main) == [[(42, "%s/" * 400_000)]] * 3


@pytest.mark.parametrize("is_idle", [True, False])
def test_a_connection_that_was_cut_is_replaced(db: DatabaseManager, is_idle: bool):
    """Statements are prepared again on the next connection, and no request fails."""

    async def main(database: LoopDatabase) -> None:
        for _ in range(2):
            assert (await database.run(twice))[0][0] == 42
            run_sql(db.url, CUT)
            if is_idle:  # The loop notices it.
                await asyncio.sleep(0)

    read_on_loop(db.url, main)


def test_all_statements_of_a_block_see_the_same_rows(db: DatabaseManager):
    """A commit between them is seen by the next block, and nothing can be written."""
    titles = select(Movie.title).where(Movie.title != "50%")

    async def read(reading: Reading) -> list:
        async with reading.one_snapshot():
            before = await reading.read_query(titles)
            db.save_movie({"id": 1, "title": "Lamp", "torrents": []})
            return [before, await reading.read_query(titles)]

    async def write(reading: Reading) -> list:
        return await reading.read_query(text("DELETE FROM movies RETURNING id"))

    async def main(database: LoopDatabase) -> list:
        with pytest.raises(DatabaseNotReady, match="read-only"):
            await database.run(write)
        return [await database.run(read), await database.run(read)]

    assert read_on_loop(db.url, main) == [[[], []], [[("Lamp",)], [("Lamp",)]]]


def test_a_database_that_is_not_there_is_explained(db: DatabaseManager):
    """As for all commands."""

    async def main(database: LoopDatabase) -> None:
        with pytest.raises(DatabaseAway, match="does not know this database"):
            await database.run(twice)

    read_on_loop(db.url.set(database="no_such_database"), main)


def test_plans_on_the_loop_are_made_again_when_movies_have_come(
    db: DatabaseManager, monkeypatch: pytest.MonkeyPatch
):
    """A plan for an empty table reads the whole table for each movie."""
    monkeypatch.setattr(database.connection.plan_age, "CHECK_SECONDS", 0.0)
    run_sql(db.url, NONE)
    by_id = Prepared("by_id", "integer", "SELECT title FROM movies WHERE external_id = $1")

    async def read(reading: Reading) -> str:
        await reading.read_rows(by_id, 7)
        plan = await reading.read_query(text("EXPLAIN EXECUTE by_id(7)"))
        return str(plan)

    async def main(database: LoopDatabase) -> list[str]:
        before = await database.run(read)
        await asyncio.to_thread(run_sql, db.url, MANY)
        return [before, await database.run(read)]

    before, after = read_on_loop(db.url, main)
    assert after != before
    assert "uq_movies_external_id" in after


def test_a_statement_on_the_loop_whose_type_has_changed_is_prepared_again(db: DatabaseManager):
    """As after a migration: no request fails."""
    run_sql(db.url, "CREATE VIEW lamps AS SELECT 1 AS n")
    lamps = Prepared("lamps", "integer", "SELECT n FROM lamps WHERE $1 = 7")

    async def read(reading: Reading) -> list:
        return list(await reading.read_rows(lamps, 7))

    async def main(database: LoopDatabase) -> list:
        before = await database.run(read)
        await asyncio.to_thread(
            run_sql, db.url, "DROP VIEW lamps", "CREATE VIEW lamps AS SELECT 'one' AS n"
        )
        return [before, await database.run(read)]

    assert read_on_loop(db.url, main) == [[(1,)], [("one",)]]
    run_sql(db.url, "DROP VIEW lamps")
