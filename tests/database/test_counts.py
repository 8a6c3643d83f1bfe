"""The counts that triggers maintain equal a count of all rows."""

import random
from collections.abc import Callable
from contextlib import ExitStack

import pytest
from sqlalchemy import URL, text

from database.bookkeeping.source import claim_source
from database.counts import Counts, read_counts
from database.db import DatabaseManager
from database.stats import read_top_genres
from tests.support.data.happenings import HAPPENINGS
from tests.support.data.movies import list_row, movie, person, read, save
from tests.support.databases import run_sql
from tests.support.processes.programs import run_alembic
from tests.support.processes.savers import run_in_processes, save_in_random_order
from tests.support.servers.shared_server import WORKER

WRITERS = 8
#: The number of shards at which transactions begin to look for a free one.
FIRST_SHARDS = 16


def check_counts(db: DatabaseManager) -> None:
    """Compare every number with a count of the rows."""
    (counted,) = read(
        db,
        "SELECT count(*), count(details_fetched_at), count(gone_since), "
        "round(avg(rating), 2)::float, (SELECT count(*) FROM casts), "
        "(SELECT count(*) FROM torrents), (SELECT count(*) FROM movie_embeddings "
        "WHERE space_id = (SELECT id FROM embedding_spaces WHERE is_active)) FROM movies",
    )
    of_genres = read(
        db,
        "SELECT name, count(*) AS movies FROM genres JOIN movie_genres ON genre_id = id "
        "GROUP BY id ORDER BY movies DESC, name",
    )
    with db.get_session() as session:
        assert read_counts(session) == Counts(*counted)
        top = read_top_genres(session, count=1000)
    assert [(genre.name, genre.movies) for genre in top] == of_genres


@pytest.mark.parametrize(
    "seed", [0, 1, *(pytest.param(seed, marks=pytest.mark.long) for seed in range(2, 6))]
)
def test_whatever_happens_to_the_tables_the_counts_are_right(
    db: DatabaseManager, seed: int
) -> None:
    """Movies are saved, changed, marked, deleted, truncated, rolled back: by us or by any SQL."""
    generator = random.Random(seed)
    for happening in generator.choices(HAPPENINGS, k=25):
        happening(db, generator)
        check_counts(db)


def test_eight_writers_at_once_lose_no_count(new_database: Callable[[], URL]) -> None:
    """They save different movies with the same people, and have no deadlock."""
    people = [person(number) for number in range(40)]
    movies = [movie(number, cast=people[number % 20 :]) for number in range(1, 201)]
    url = new_database()
    work = [(url, None, movies[number::WRITERS], number) for number in range(WRITERS)]

    run_in_processes(save_in_random_order, work)

    with DatabaseManager(url) as db:
        check_counts(db)
        deadlocks = "SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()"
        assert read(db, deadlocks) == [0]


def test_no_transaction_waits_for_the_counts_of_another(db: DatabaseManager) -> None:
    """That holds also for two transactions that begin at the same shard, as some of these must."""
    with ExitStack() as open_transactions:
        for number in range(FIRST_SHARDS + 1):
            session = open_transactions.enter_context(db.get_session())
            session.execute(text("SET LOCAL lock_timeout = '1s'"))
            session.execute(text(f"INSERT INTO casts (name) VALUES ('{number}')"))
            session.execute(text(f"INSERT INTO movies (external_id, title) VALUES ({number}, 'x')"))

    check_counts(db)
    assert read(db, "SELECT count(*) FROM catalogue_counts") == [2 * (FIRST_SHARDS + 1)]


def test_the_removal_of_practice_data_is_counted(db: DatabaseManager) -> None:
    """After the first real run has removed the practice data, all counts are 0."""
    with db.get_session() as session:
        claim_source(session, "sandbox")
    save(db, movie(1), movie(2))
    with db.get_session() as session:
        assert claim_source(session, "yts")

    check_counts(db)
    assert read(db, "SELECT count(*) FROM catalogue_counts") == [0]


def test_a_statement_that_changes_no_count_writes_none(db: DatabaseManager) -> None:
    """A movie that is unchanged, or gets another title, does not touch the rows of the counts."""
    written = "SELECT name, shard, xmin FROM catalogue_counts ORDER BY 1, 2"
    save(db, movie(1), movie(2))
    before = read(db, written)

    save(db, movie(1), movie(2), update=True)
    save(db, list_row(movie(1, title="Another")), has_details=False, update=True)
    run_sql(db.url, "UPDATE torrents SET seeds = 0", "DELETE FROM movies WHERE id < 0")

    assert read(db, written) == before


def test_rows_of_a_role_without_rights_on_the_counts_are_counted(db: DatabaseManager) -> None:
    """
    Its search_path has no `catalogue_counts` except a temporary table of its own.

    Roles belong to the whole server: the name has that of the worker.
    """
    role = f"writer_{WORKER}"
    run_sql(
        db.url,
        f"DROP ROLE IF EXISTS {role}",
        f"CREATE ROLE {role}",
        f"GRANT INSERT ON movies TO {role}",
        f"SET ROLE {role}",
        "CREATE TEMP TABLE catalogue_counts (name text)",
        "SET search_path = pg_catalog",
        "INSERT INTO public.movies (external_id, title) VALUES (1, 'A')",
        "RESET ROLE",
        f"REVOKE ALL ON public.movies FROM {role}",
        "DROP TABLE pg_temp.catalogue_counts",
        f"DROP ROLE {role}",
    )

    check_counts(db)


def test_the_migration_counts_what_is_there(new_database: Callable[[], URL]) -> None:
    """Movies of an older mirror are counted by the migration, later ones by the triggers."""
    with DatabaseManager(new_database()) as db:
        save(db, movie(1, rating=None), movie(2), list_row(movie(3)))
        assert run_alembic(db.url, "downgrade", "0003").returncode == 0
        assert run_alembic(db.url, "upgrade", "head").returncode == 0
        check_counts(db)

        save(db, movie(4))
        check_counts(db)
