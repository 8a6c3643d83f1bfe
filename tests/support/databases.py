"""`run_sql`, `table_contents`, `make_empty`, `restore`: SQL on the databases of the tests."""

from sqlalchemy import URL, Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from database.db import DatabaseManager
from database.models import Base, Cast, Movie, Torrent
from tests.support.waiting import wait_until

#: The number of sessions of this database that wait for a lock. Views of locks show those of all
#: databases, also of the tests beside. Within a transaction, the view of sessions stays as it was
#: at the first look, unless it is cleared.
LOCK_WAITS = (
    "SELECT count(*) FROM pg_stat_clear_snapshot(), pg_stat_activity "
    "WHERE datname = current_database() AND wait_event_type = 'Lock'"
)


def wait_for_lock(connection: Connection) -> None:
    """Wait until another session of the database of *connection* waits for a lock."""
    wait_until(lambda: connection.scalar(text(LOCK_WAITS)), "no session waits for a lock")


def run_sql(url: URL, *statements: str) -> None:
    """Run *statements* outside a transaction."""
    with _connect(url) as connection:
        for statement in statements:
            connection.execute(text(statement))


#: A fingerprint of a database without its rows.
_SCHEMA = """
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
        (SELECT array_agg(setconfig) FROM pg_db_role_setting WHERE setdatabase =
                (SELECT oid FROM pg_database WHERE datname = current_database())),
        (SELECT array_agg(version_num) FROM alembic_version)"""
#: Drop the functions that a test has created, and the triggers that call them. Triggers that count
#: rows belong to the migrations and stay.
_DROP_TRIGGERS = """
    DO $$ DECLARE name text; BEGIN
      FOR name IN SELECT DISTINCT tgfoid::regproc FROM pg_trigger
          WHERE NOT tgisinternal AND tgname NOT LIKE 'count@_%' ESCAPE '@' LOOP
        EXECUTE 'DROP FUNCTION ' || name || ' CASCADE';
      END LOOP;
    END $$"""
#: End all other sessions.
_END_SESSIONS = """
    SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()"""
#: Delete all rows, and restart all ids at 1.
_DELETE_ROWS = "; ".join(
    [
        *(f"DELETE FROM {table.name}" for table in reversed(Base.metadata.sorted_tables)),
        # Once more, because the triggers of tables that were emptied after it have counted down.
        "DELETE FROM catalogue_counts",
        "SELECT setval(oid::regclass, 1, false) FROM pg_class WHERE relkind = 'S' AND oid > 16383",
    ]
)


def schema_of(url: URL) -> object:
    """Return a fingerprint of the database without its rows."""
    with _connect(url) as connection:
        return tuple(connection.exec_driver_sql(_SCHEMA).one())


def make_empty(url: URL) -> None:
    """End all other sessions, delete all rows, and restart all ids at 1."""
    with _connect(url) as connection:
        _empty(connection)


def restore(url: URL, schema: object) -> bool:
    """
    Make the database as it was, without rows; return False if it cannot be used any more.

    *schema* is what `schema_of` has returned before. This runs after most tests, so its connection
    lasts: a new one would first read the catalogue of PostgreSQL, which costs most of the time.
    """
    for _ in range(2):  # A test may have ended the session of the connection.
        try:
            connection = _lasting.pop(url, None) or _connect(url)
        except DBAPIError:  # A test has dropped or renamed the database.
            return False
        try:
            is_restored = _restore(connection, schema)
        except DBAPIError:  # Its session was ended, or its tables were dropped or renamed.
            connection.invalidate()
        else:
            _lasting[url] = connection
            return is_restored
    return False


#: The connections of `restore`.
_lasting: dict[URL, Connection] = {}


def _connect(url: URL) -> Connection:
    return create_engine(url, isolation_level="AUTOCOMMIT", poolclass=NullPool).connect()


def _restore(connection: Connection, schema: object) -> bool:
    if not _has_schema(connection, schema):
        connection.execute(text(_DROP_TRIGGERS))
        if not _has_schema(connection, schema):
            return False
    _empty(connection)
    return True


def _has_schema(connection: Connection, schema: object) -> bool:
    return tuple(connection.exec_driver_sql(_SCHEMA).one()) == schema


def _empty(connection: Connection) -> None:
    connection.exec_driver_sql(_END_SESSIONS)
    connection.exec_driver_sql(_DELETE_ROWS)


def columns_of(model: type[Base], alias: str, *others: str) -> str:
    """Return the columns of a table as SQL, without row ids and the times of rows."""
    ours = {"id", "movie_id", "created_at", "updated_at", "fetched_at", "search_vector"}
    names = [column.name for column in model.__table__.c if column.name not in ours | {*others}]
    return ", ".join(f"{alias}.{name}" for name in names)


def table_contents(db: DatabaseManager) -> dict[str, list[tuple[object, ...]]]:
    """
    Return the rows of movies and related tables, in a form that is equal for equal mirrors.

    It has neither row ids nor times; links are shown by the names on both sides.
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
