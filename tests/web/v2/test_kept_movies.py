"""`MovieStore`: movies that are kept are those of the tables, whoever has changed the rows."""

from functools import partial

import pytest
from sqlalchemy import text

from database.db import DatabaseManager
from database.serving.loop_database import LoopDatabase
from tests.support.databases import run_sql
from tests.support.servers.loop_reads import read_on_loop
from web.v2.movie_store import KeptMovie, MovieStore

IDS = [1, 2, 3]
HASH = "A" * 39
#: Plain SQL of somebody who does not touch the row of the movie, except in the first two.
CHANGES = {
    "title": "UPDATE movies SET title = 'Lantern' WHERE external_id = 1",
    "null": "UPDATE movies SET title_long = NULL, year = 1999 WHERE external_id = 1",
    "torrent": f"UPDATE torrents SET seeds = seeds + 1 WHERE hash = '{HASH}1'",
    "no torrent": f"DELETE FROM torrents WHERE hash = '{HASH}1'",
    "another torrent": f"""
        WITH old AS (DELETE FROM torrents WHERE hash = '{HASH}1' RETURNING *)
        INSERT INTO torrents (movie_id, hash, seeds) SELECT movie_id, '{HASH}9', seeds FROM old""",
    "torrent of another movie": f"""
        UPDATE torrents SET movie_id = (SELECT id FROM movies WHERE external_id = 2)
        WHERE hash = '{HASH}1'""",
    "genre": "DELETE FROM movie_genres WHERE genre_id = (SELECT min(id) FROM genres)",
    "genre more": """
        INSERT INTO movie_genres SELECT m.id, g.id FROM movies m, genres g ON CONFLICT DO NOTHING
        """,
    "name of a genre": "UPDATE genres SET name = 'Noir' WHERE name = 'Drama'",
    "names in turn": """
        UPDATE genres SET name = 'x' WHERE name = 'Drama';
        UPDATE genres SET name = 'Drama' WHERE name = 'Crime';
        UPDATE genres SET name = 'Crime' WHERE name = 'x'""",
    "deleted": "DELETE FROM movies WHERE external_id = 1",
    "deleted and stored again": """
        DELETE FROM movies WHERE external_id = 1;
        INSERT INTO movies (external_id, title) VALUES (1, 'Lamp')""",
}


def save_movies(db: DatabaseManager) -> None:
    """Save three movies, the first with two genres and a torrent, the second with one genre."""
    genres = {1: ["Crime", "Drama"], 2: ["Crime"], 3: []}
    for movie_id in IDS:
        torrent = {"hash": f"{HASH}{movie_id}", "seeds": 5}
        movie = {"id": movie_id, "title": "Lamp", "genres": genres[movie_id]}
        assert db.save_movie({**movie, "torrents": [torrent]})[0]


async def read(database: LoopDatabase, store: MovieStore) -> list[KeptMovie]:
    """Return the three movies."""
    return (await database.run(partial(store.read, ids=IDS)))[1]


def contents(movies: list[KeptMovie]) -> list[bytes]:
    """Return the movies as they stand in a body."""
    return [movie.content for movie in movies]


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_commit_changes_the_kept_movies_whoever_made_it(db: DatabaseManager, change: str):
    """And only those: the movies that are still true are the same objects."""
    save_movies(db)

    async def main(database: LoopDatabase) -> tuple[list[KeptMovie], ...]:
        store = MovieStore(1 << 20)
        before = await read(database, store)
        run_sql(db.url, change)
        return before, await read(database, store), await read(database, MovieStore(1 << 20))

    before, after, expected = read_on_loop(db.url, main)

    assert contents(after) == contents(expected)
    assert contents(after) != contents(before)
    assert after[-1] is before[-1] or "GENRES" in change.upper()


def test_a_change_that_is_rolled_back_is_none(db: DatabaseManager):
    """Neither while its transaction is open nor afterwards is a movie read again."""
    save_movies(db)

    async def main(database: LoopDatabase) -> list[list[KeptMovie]]:
        store = MovieStore(1 << 20)
        reads = [await read(database, store)]
        with db.engine.connect() as writer:
            for change in CHANGES.values():
                writer.execute(text(f"SAVEPOINT one; {change}; ROLLBACK TO one"))
            writer.execute(text(CHANGES["title"]))
            reads.append(await read(database, store))
            writer.rollback()
        reads.append(await read(database, store))
        return reads

    first, *others = read_on_loop(db.url, main)

    assert all(a is b for movies in others for a, b in zip(first, movies, strict=True))


def test_rows_that_move_or_are_vacuumed_are_read_as_they_are(db: DatabaseManager):
    """Their places may be used again for other versions."""
    save_movies(db)

    async def main(database: LoopDatabase) -> list[tuple[list[bytes], list[bytes]]]:
        store = MovieStore(1 << 20)
        reads = []
        for seeds in range(4):
            change = f"UPDATE torrents SET seeds = {seeds}"
            vacuum = f"VACUUM {'FULL' if seeds == 2 else 'FREEZE'} torrents"
            run_sql(db.url, change, vacuum)
            kept, fresh = await read(database, store), await read(database, MovieStore(0))
            reads.append((contents(kept), contents(fresh)))
        return reads

    reads = read_on_loop(db.url, main)

    assert all(kept == fresh for kept, fresh in reads)
    assert len({kept[0] for kept, _ in reads}) == 4


def test_a_store_keeps_no_more_bytes_than_it_may(db: DatabaseManager):
    """The movie that was used longest ago goes first; movies are right without any room, too."""
    save_movies(db)

    async def main(database: LoopDatabase) -> list[list[KeptMovie]]:
        everything = await read(database, MovieStore(1 << 20))
        room = 2 * (len(everything[0].content) + 700)
        store = MovieStore(room)
        return [everything, *[await read(database, each) for each in (MovieStore(0), store, store)]]

    everything, without, first, second = read_on_loop(db.url, main)

    assert contents(everything) == contents(without) == contents(first) == contents(second)
    assert [a is b for a, b in zip(first, second, strict=True)] == [False, True, True]
