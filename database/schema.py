"""`ensure_schema` creates or migrates the tables; `require_schema` only checks their revision."""

from pathlib import Path

from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from database.bookkeeping.models import FetchRun
from database.connection.advisory_locks import AdvisoryLock, wait_for_lock
from database.connection.explain import explain_trouble, first_line, sqlstate
from database.errors import DatabaseNotReady

#: The newest revision in alembic/versions; a test compares the two. With this constant, commands
#: start without importing alembic.
HEAD_REVISION = "0018"
MIN_SERVER_VERSION = 140000
#: The first version of pgvector with halfvec.
MIN_PGVECTOR = (0, 7, 0)

_READ_ONLY, _NO_SCHEMA, _NO_RIGHT = "25006", "3F000", "42501"
_FOREIGN_VERSIONS = (
    "The table alembic_version in this database belongs to another program: there are no tables of "
    "the mirror. Give the mirror a database of its own (createdb NAME); nothing was changed."
)
_ROOT = Path(__file__).parent.parent
#: The SQL of all migrations together: the output of `alembic upgrade head --sql`.
_ALL_MIGRATIONS = _ROOT / "alembic" / "all_migrations.sql"


def lock_migrations(connection: Connection) -> None:
    """Wait until no other process migrates this database; lock it until the transaction ends."""
    wait_for_lock(connection, AdvisoryLock.MIGRATION)


def read_revision(connection: Connection) -> str | None:
    """Return the revision of the tables, or None if there are no tables yet."""
    # Within a transaction, to_regclass may not find a table that another session has just created.
    exists = text(
        "SELECT true FROM pg_class WHERE relname = 'alembic_version' AND pg_table_is_visible(oid)"
    )
    if not connection.scalar(exists):
        return None
    revision: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
    return revision


def ensure_schema(engine: Engine) -> None:
    """
    Create or migrate the tables if they are not current; safe from several processes.

    Raises:
        DatabaseNotReady: the server is too old, pgvector or rights are missing, or the tables are
            newer than this program.
        sqlalchemy.exc.OperationalError: no connection can be made.
    """
    try:
        with engine.connect() as connection:
            if read_revision(connection) == HEAD_REVISION and _find_own_tables(connection):
                return
        with engine.begin() as connection:
            check_server(connection)
            lock_migrations(connection)
            # Another process may have migrated the tables meanwhile.
            revision = read_revision(connection)
            _refuse_foreign_tables(connection, revision)
            if revision != HEAD_REVISION:
                _migrate(connection, revision)
    except OperationalError:
        raise
    except DBAPIError as error:
        raise DatabaseNotReady(_explain_refusal(error)) from error


def require_schema(session: Session) -> None:
    """
    Raise unless the tables are current; change nothing.

    Raises:
        DatabaseNotReady: there are no tables, or of another revision, or movies is missing; the
            message says what to do.
    """
    revision = read_revision(session.connection())
    if revision is None:
        raise DatabaseNotReady(
            "There are no tables in this database yet. Fill it: python fetch_yts_data.py"
        )
    if revision != HEAD_REVISION:
        raise DatabaseNotReady(
            f"The tables are of revision {revision}, this program is of {HEAD_REVISION}. An older "
            "database is migrated by the next fetch, or by: alembic upgrade head"
        )
    if session.scalar(text("SELECT to_regclass('movies')")) is None:
        raise DatabaseNotReady(
            "The table movies is missing in this database: it was dropped or renamed. Restore the "
            "database from a backup, or create an empty one (createdb NAME) and fill it."
        )


def _find_own_tables(connection: Connection) -> list[str]:
    """Return the names of the mirror's tables that exist, also as other objects such as views."""
    exists = text("SELECT name FROM unnest(:names) AS name WHERE to_regclass(name) IS NOT NULL")
    names = sorted(FetchRun.metadata.tables)
    return list(connection.scalars(exists, {"names": names}))


def _refuse_foreign_tables(connection: Connection, revision: str | None) -> None:
    """Raise if the tables of another program are where those of the mirror should be."""
    tables = _find_own_tables(connection)
    if revision is None and tables:
        raise DatabaseNotReady(
            f"This database has a table {tables[0]} of another program, where the mirror needs its "
            "own. Give the mirror a database of its own (createdb NAME); nothing was changed."
        )
    if revision is not None and not tables:
        raise DatabaseNotReady(_FOREIGN_VERSIONS)


def check_server(connection: Connection) -> None:
    """
    Raise unless the server is new enough and offers pgvector.

    Raises:
        DatabaseNotReady: the message says which of the two is missing and what to do.
    """
    version = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    if version < MIN_SERVER_VERSION:
        raise DatabaseNotReady(
            f"This PostgreSQL is version {version // 10000}, but at least "
            f"{MIN_SERVER_VERSION // 10000} is needed. Upgrade the server, or unset DATABASE_URL "
            "to use the embedded one."
        )
    offered = connection.scalar(
        text(
            "SELECT coalesce(installed_version, default_version) "
            "FROM pg_available_extensions WHERE name = 'vector'"
        )
    )
    if offered is None or tuple(int(part) for part in offered.split(".")) < MIN_PGVECTOR:
        wanted = ".".join(str(part) for part in MIN_PGVECTOR)
        raise DatabaseNotReady(
            f"This PostgreSQL has {'no pgvector' if offered is None else f'pgvector {offered}'}, "
            f"but pgvector {wanted} or newer is needed. Install it on the server (Debian: "
            f"apt install postgresql-{version // 10000}-pgvector; then, where an older one is in "
            "use: ALTER EXTENSION vector UPDATE), or unset DATABASE_URL to use the embedded one."
        )
    hidden = text(
        "SELECT nspname FROM pg_extension JOIN pg_namespace n ON n.oid = extnamespace "
        "WHERE extname = 'vector' AND to_regtype('halfvec') IS NULL"
    )
    if (schema := connection.scalar(hidden)) is not None:
        raise DatabaseNotReady(
            f"pgvector is installed in the schema {schema}, which is not in the search_path "
            f"of this user. Add it, as in: ALTER DATABASE ... SET search_path = public, {schema}"
        )


def _migrate(connection: Connection, revision: str | None) -> None:
    # After `alembic downgrade base` there is a table without a revision.
    if not connection.scalar(text("SELECT to_regclass('alembic_version')")):
        # Importing alembic and running each migration takes several times as long.
        migrations = _ALL_MIGRATIONS.read_text(encoding="utf-8").strip()
        # The caller begins the transaction, and commits.
        migrations = migrations.removeprefix("BEGIN;").removesuffix("COMMIT;")
        connection.execution_options(no_parameters=True).exec_driver_sql(migrations)
        return
    from alembic import command, config, script  # noqa: PLC0415 -- slow, and rarely needed

    settings = config.Config(_ROOT / "alembic.ini")
    scripts = script.ScriptDirectory.from_config(settings)
    known = {step.revision for step in scripts.walk_revisions()}
    if revision is not None and revision not in known:
        raise DatabaseNotReady(
            f"The tables are of revision {revision}, newer than this program knows "
            f"({HEAD_REVISION}). Update the program (git pull); nothing was changed."
        )
    settings.attributes["connection"] = connection
    command.upgrade(settings, "head")


def _explain_refusal(error: DBAPIError) -> str:
    state, reason = sqlstate(error), first_line(error)
    if state == _READ_ONLY:
        return explain_trouble(error)
    if "version_num" in reason:
        return _FOREIGN_VERSIONS
    if state == _NO_SCHEMA:
        return (
            f"There is no schema for the tables ({reason}). Create the first one of the user's "
            "search_path, or correct that: ALTER DATABASE ... SET search_path = public"
        )
    if "extension" in reason:
        return (
            f"The database user may not create the pgvector extension ({reason}). Let an "
            "administrator run once in this database: CREATE EXTENSION vector"
        )
    if state == _NO_RIGHT:
        return (
            f"The database user lacks a right to read or create the tables ({reason}). Let this "
            "user own the database and its tables, or grant it the right."
        )
    return (
        f"The tables could not be read, created or migrated ({reason}). See what is wrong with: "
        "python test_db_connection.py"
    )
