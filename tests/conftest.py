"""Fixtures for all tests: a real PostgreSQL, a fresh migrated database for each test, a sandbox."""

import os
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import count
from pathlib import Path

import pytest
from hypothesis import settings
from sqlalchemy import URL, create_engine, text
from sqlalchemy.exc import DBAPIError

from database.db import DatabaseManager
from database.embedded.server import open_embedded
from database.models import Base, Cast, Movie, Torrent
from database.schema import ensure_schema
from sandbox.api.server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings

REPO = Path(__file__).parent.parent
#: Real answers, where they lie beside the repository; they are not part of it.
RECORDED = REPO.parent / "shared" / "recorded"

# What the developer's shell says must not reach the tests, nor the commands they start.
# Nor must each of these compile every module anew.
for name in list(os.environ):
    if name.startswith(
        ("YTS_", "DATABASE_URL", "PG", "PYTHONDONTWRITEBYTECODE", "LINES", "COLUMNS")
    ):
        del os.environ[name]

# Found anew in each run would be found by chance: the same examples every time. `long` looks for
# new ones, LONGER times as many; what it finds becomes a test of its own.
LONGER = 20
settings.register_profile("suite", derandomize=True, database=None, deadline=None)
settings.register_profile("long", database=None, deadline=None, print_blob=True)
PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "suite")
settings.load_profile(PROFILE)


def examples(count: int) -> settings:
    """Return settings for *count* examples, or LONGER times as many where that is asked for."""
    return settings(max_examples=count * (LONGER if PROFILE == "long" else 1))


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[URL]:
    """Start a PostgreSQL server for the whole session, with a migrated template database."""
    with open_embedded(tmp_path_factory.mktemp("postgres")) as server:
        # Nothing here must survive a power cut, and stopping takes seconds less.
        run_sql(server.url, "ALTER SYSTEM SET fsync = off", "SELECT pg_reload_conf()")
        run_sql(server.url, "CREATE DATABASE migrated")
        engine = create_engine(server.url.set(database="migrated"))
        ensure_schema(engine)
        engine.dispose()
        yield server.url


@pytest.fixture(scope="session")
def new_database(server_url: URL) -> Callable[..., URL]:
    """Return a maker of databases: migrated ones, or empty ones on request."""
    numbers = count(1)

    def make(*, is_empty: bool = False) -> URL:
        name = f"test_{next(numbers)}"
        template = "template0" if is_empty else "migrated"
        run_sql(server_url, f"CREATE DATABASE {name} TEMPLATE {template}")
        return server_url.set(database=name)

    return make


@pytest.fixture(scope="session")
def empty_databases() -> list[URL]:
    """Return the migrated databases without rows that earlier tests have left."""
    return []


@pytest.fixture
def database_url(new_database: Callable[..., URL], empty_databases: list[URL]) -> Iterator[URL]:
    """Lend a migrated database without rows; to make one costs more than most tests."""
    url = empty_databases.pop() if empty_databases else new_database()
    before = schema_of(url)
    yield url
    drop_triggers(url)
    if schema_of(url) == before:
        make_empty(url)
        empty_databases.append(url)


@pytest.fixture
def db(database_url: URL) -> Iterator[DatabaseManager]:
    """Open a migrated database without rows."""
    with DatabaseManager(database_url) as manager:
        yield manager


@pytest.fixture(scope="session")
def mirror_url(new_database: Callable[..., URL]) -> URL:
    """Return a database with 300 practice movies and their vectors, to be read only."""
    pytest.importorskip("safetensors")
    from embeddings.index import embed_all
    from tests.support.movies import fetch_details, save

    url = new_database()
    with DatabaseManager(url) as db, open_sandbox(SandboxSettings(movies=300)) as running:
        save(db, *fetch_details(running, range(1, 320)))
        embed_all(db)
    return url


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """Serve 200 practice movies without faults."""
    with open_sandbox(SandboxSettings(movies=200)) as running:
        yield running


def run_sql(url: URL, *statements: str) -> None:
    """Run *statements* outside a transaction."""
    engine = create_engine(url, isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        for statement in statements:
            connection.execute(text(statement))
    engine.dispose()


def schema_of(url: URL) -> object:
    """Return what tells whether a test has changed more than rows; None if it cannot be read."""
    query = """
        SELECT (SELECT md5(string_agg(c::text, '' ORDER BY c.oid)) FROM (
                    SELECT oid, relname, relkind, relowner, relacl, relpersistence, relnatts
                    FROM pg_class WHERE oid > 16383) c),
            (SELECT md5(string_agg(a::text, '' ORDER BY attrelid, attnum)) FROM (
                    SELECT attrelid, attnum, attname, atttypid, attnotnull, attisdropped
                    FROM pg_attribute WHERE attrelid > 16383) a),
            (SELECT md5(string_agg(c::text, '')) FROM (
                    SELECT oid, conname FROM pg_constraint WHERE oid > 16383 ORDER BY oid) c),
            (SELECT array_agg(oid ORDER BY oid) FROM pg_trigger),
            (SELECT array_agg(oid ORDER BY oid) FROM pg_proc WHERE oid > 16383),
            (SELECT array_agg(setconfig) FROM pg_db_role_setting),
            (SELECT array_agg(version_num) FROM alembic_version)"""
    engine = create_engine(url)
    try:
        with engine.connect() as connection:
            return tuple(connection.exec_driver_sql(query).one())
    except DBAPIError:
        return None
    finally:
        engine.dispose()


def drop_triggers(url: URL) -> None:
    """
    Drop what tests let happen at writes: functions, with the triggers that call them.

    Those that count rows are the migrations' own.
    """
    with suppress(DBAPIError):
        run_sql(
            url,
            """
            DO $$ DECLARE name text; BEGIN
              FOR name IN SELECT DISTINCT tgfoid::regproc FROM pg_trigger
                  WHERE NOT tgisinternal AND tgname NOT LIKE 'count@_%' ESCAPE '@' LOOP
                EXECUTE 'DROP FUNCTION ' || name || ' CASCADE';
              END LOOP;
            END $$""",
        )


def make_empty(url: URL) -> None:
    """Remove all rows, whoever may still be connected, and let ids begin anew."""
    run_sql(
        url,
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        "WHERE datname = current_database() AND pid <> pg_backend_pid()",
        *(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)),
        # Some of the tables come after it, and are counted down there.
        "DELETE FROM catalogue_counts",
        "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND oid > 16383",
    )


def columns_of(model: type[Base], alias: str, *others: str) -> str:
    """Return all columns of a table in SQL, but those that are row ids or times of our own."""
    ours = {"id", "movie_id", "created_at", "updated_at", "fetched_at", "search_vector"}
    names = [column.name for column in model.__table__.c if column.name not in ours | {*others}]
    return ", ".join(f"{alias}.{name}" for name in names)


def table_contents(db: DatabaseManager) -> dict[str, list[tuple[object, ...]]]:
    """
    Return what the catalogue's tables say, without what may differ between equal mirrors.

    Row ids and times are left out; links are shown by the names on both sides.
    """
    movie = columns_of(Movie, "m", "details_fetched_at", "gone_since", "document_hash")
    queries = {
        "movies": f"SELECT {movie}, gone_since IS NULL, details_fetched_at IS NULL FROM movies m "
        "ORDER BY m.external_id",
        "documents": "SELECT external_id, document_hash FROM movies ORDER BY 1",
        "genres": "SELECT m.external_id, g.name FROM movie_genres "
        "JOIN movies m ON m.id = movie_id JOIN genres g ON g.id = genre_id ORDER BY 1, 2",
        "casts": f"SELECT {columns_of(Cast, 'c')} FROM casts c ORDER BY 1, 2",
        "roles": "SELECT m.external_id, c.name, c.imdb_code, character_name, position "
        "FROM movie_casts JOIN movies m ON m.id = movie_id JOIN casts c ON c.id = cast_id "
        "ORDER BY 1, 5, 2, 3",
        "torrents": f"SELECT m.external_id, {columns_of(Torrent, 't')} FROM torrents t "
        "JOIN movies m ON m.id = movie_id ORDER BY 1, 2",
        "missing": "SELECT external_id FROM missing_movies ORDER BY 1",
    }
    with db.get_session() as session:
        return {
            name: [tuple(row) for row in session.execute(text(query))]
            for name, query in queries.items()
        }


#: Modules whose tests start many whole processes or wait for real clocks; `make fast` omits them.
SLOW_MODULES = {
    "test_any_source", "test_cluster", "test_database_faults", "test_docs", "test_embedded",
    "test_failing", "test_faults", "test_fetch", "test_kill_points", "test_monitor",
    "test_outputs", "test_pool", "test_poolers", "test_screen", "test_secrets", "test_shell",
    "test_stopping", "test_vacuum", "test_waiting",
}  # fmt: skip


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the tests of `SLOW_MODULES` as slow, before pytest selects by markers."""
    for item in items:
        if item.path.stem in SLOW_MODULES:
            item.add_marker(pytest.mark.slow)
