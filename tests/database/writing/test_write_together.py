"""Several processes that save movies at once leave the same tables as one process."""

import random
from collections import Counter
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest
from sqlalchemy import URL

from database.bookkeeping.runs import start_run
from database.db import DatabaseManager
from database.step import Step, save_step
from database.writing.movies import save_movies
from database.writing.slugs import unique_slugs
from tests.support.data.movies import Json, movie, payloads, person, read, save
from tests.support.databases import LOCK_WAITS, run_sql, table_contents
from tests.support.processes.savers import run_in_processes, save_in_random_order
from tests.support.waiting import wait_until

WORKERS = 4
MOVIES = 160
DEADLOCKS = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"


def _movies(count: int) -> list[Json]:
    """Return movies with many people in common, so that several processes add the same ones."""
    generator = random.Random(1)
    genres = ["Action", "Comedy", "Drama", "Horror", "War", "Western"]
    return [
        movie(
            movie_id,
            genres=generator.sample(genres, 3),
            cast=[person(number) for number in generator.sample(range(2000), 40)],
        )
        for movie_id in range(1, count + 1)
    ]


def test_four_processes_lose_nothing_and_never_deadlock(
    new_database: Callable[[], URL], db: DatabaseManager
) -> None:
    """
    Each movie is new for exactly one process, and there is no deadlock.

    PostgreSQL counts deadlocks, also those after which the product repeats its transaction.
    """
    movies = _movies(MOVIES)
    # Few movies in common: processes that save one movie wait for each other before its people.
    shares = [movies[:4] + movies[4 + number :: WORKERS] for number in range(WORKERS)]
    url = new_database()
    with DatabaseManager(url) as together:
        with together.get_session() as session:
            run_id = start_run(session, "test")
        work = [(url, run_id, share, seed) for seed, share in enumerate(shares)]

        outcomes = sum(run_in_processes(save_in_random_order, work), Counter[str]())

        # A movie is skipped if another process has saved it since this one began to.
        again = outcomes["unchanged"] + outcomes["skipped"]
        assert outcomes["saved"] == MOVIES
        assert again == sum(map(len, shares)) - MOVIES
        save(db, *movies)
        assert table_contents(together) == table_contents(db)
        assert read(together, DEADLOCKS) == [0]
        counters = "SELECT planned, saved, unchanged + skipped, failed FROM fetch_runs"
        assert read(together, counters) == [(MOVIES + again, MOVIES, again, 0)]


def test_processes_that_save_the_same_movies_never_deadlock(
    new_database: Callable[[], URL], db: DatabaseManager
) -> None:
    """Stored rows are locked before new ones are added, both in the order of their ids."""
    movies = [
        movie(number, cast=[person(number % 20 + other) for other in range(10)])
        for number in range(1, 61)
    ]
    with DatabaseManager(new_database()) as together:
        with together.get_session() as session:
            run_id = start_run(session, "test")
        work = [(together.url, run_id, movies, seed) for seed in range(6)]

        outcomes = sum(run_in_processes(save_in_random_order, work), Counter[str]())

        # A movie is skipped if another process has saved it since this one began to.
        assert outcomes["saved"] == 60
        assert outcomes["unchanged"] + outcomes["skipped"] == 300
        assert read(together, DEADLOCKS) == [0]
        save(db, *movies)
        assert table_contents(together) == table_contents(db)


def test_movies_that_share_a_slug_may_meet(
    new_database: Callable[[], URL], db: DatabaseManager
) -> None:
    """The process that comes second finds the slug taken, and tries again with another one."""
    movies = [movie(number, slug="remake-2014") for number in range(1, 21)]
    url = new_database()
    with DatabaseManager(url) as together:
        with together.get_session() as session:
            run_id = start_run(session, "test")
        work = [(url, run_id, movies[seed::2], seed) for seed in (0, 1, 0, 1)]

        outcomes = sum(run_in_processes(save_in_random_order, work), Counter[str]())

        assert outcomes["saved"] == 20
        assert outcomes["unchanged"] + outcomes["skipped"] == 20
        save(db, *movies)
        assert table_contents(together) == table_contents(db)


@pytest.mark.parametrize("seed", range(3))
def test_slugs_do_not_depend_on_who_saves_at_the_same_time(
    new_database: Callable[[], URL], seed: int
) -> None:
    """Movies claim slugs of each other, also with an id appended; then some claim other ones."""
    generator = random.Random(seed)
    names = ["x", "y", *(f"x-{number}" for number in range(1, 61, 7))]
    before, after = ({id_: generator.choice(names) for id_ in range(1, 61)} for _ in range(2))
    url = new_database()
    # Steps that move each other's movies may deadlock; one of them is repeated.
    run_sql(url, f"ALTER DATABASE {url.database} SET deadlock_timeout = '5ms'")
    with DatabaseManager(url) as db, ThreadPoolExecutor(4) as pool:

        def save_all(slugs: Mapping[int, str]) -> None:
            order = generator.sample(sorted(slugs), len(slugs))
            steps = [
                Step(tuple(payloads([movie(id_, slug=slugs[id_]) for id_ in ids])), update=True)
                for ids in (order[begin : begin + 6] for begin in range(0, 60, 6))
            ]
            list(pool.map(partial(save_step, db, None), steps))
            assert dict(read(db, "SELECT external_id, slug FROM movies")) == unique_slugs(slugs)

        save_all(before)
        save_all(after)


def test_details_that_meet_a_change_of_the_slug_keep_slug_and_claim_together(
    db: DatabaseManager,
) -> None:
    """A step with details decides by the row that another writer has just changed."""
    save(db, movie(5, slug="x"), has_details=False)

    with ThreadPoolExecutor() as pool:
        with db.get_session() as session:
            save_movies(session, payloads([movie(5, slug="y")]), update=True)
            saving = pool.submit(save, db, movie(5, slug="x"), movie(9, slug="z"))
            wait_until(lambda: saving.done() or read(db, LOCK_WAITS) == [1], "no writer waits")
        saving.result(timeout=10)

    slugs = read(db, "SELECT slug, yts_slug FROM movies ORDER BY external_id")
    assert slugs == [("x", "x"), ("z", "z")]


@pytest.mark.parametrize("first", [0, 1])
def test_one_writer_frees_a_slug_while_another_wants_it(db: DatabaseManager, first: int) -> None:
    """Whichever comes first, no slug keeps an appended id that is not needed."""
    save(db, movie(1, slug="x"))
    batches = [movie(1, slug="y"), movie(2, slug="x")]
    begun, other = batches[first], batches[1 - first]

    def waits_for_lock() -> bool:
        return read(db, f"{LOCK_WAITS} AND wait_event = 'advisory'") == [1]

    with ThreadPoolExecutor() as pool:
        with db.get_session() as session:
            save_movies(session, payloads([begun]), detailed=(1, 2), update=True)
            saving = pool.submit(save, db, other, update=True)
            wait_until(lambda: saving.done() or waits_for_lock(), "the second save does not wait")
        saving.result(timeout=10)

    slugs = dict(read(db, "SELECT external_id, slug FROM movies"))
    assert slugs == {1: "y", 2: "x"}
