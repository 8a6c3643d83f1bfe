"""`prepare_and_check`: creates or migrates the tables, and returns one `Check` for each of them."""

from dataclasses import dataclass

from sqlalchemy import URL, Connection, Table, func, select, text
from sqlalchemy.exc import DBAPIError, OperationalError

from database.bookkeeping.models import FetchRun
from database.config import has_secrets, without_secrets
from database.connection.engine import refuse_transaction_pool
from database.connection.explain import explain_unreachable, first_line
from database.db import DatabaseManager
from database.embedded.home import is_embedded
from database.errors import DatabaseNotReady
from database.schema import (
    HEAD_REVISION,
    MIN_SERVER_VERSION,
    check_server,
    ensure_schema,
    read_revision,
)

#: All tables of the project: those of the bookkeeping come after those of the catalogue.
TABLES: list[Table] = FetchRun.metadata.sorted_tables
_UNDEFINED_TABLE = "42P01"


@dataclass(frozen=True, slots=True)
class Check:
    """The result of one check; if it failed, with advice. It never contains a password."""

    name: str
    is_ok: bool
    message: str


def prepare_and_check(db: DatabaseManager) -> list[Check]:
    """
    Create or migrate the tables if they are not current, and return the checks.

    Every problem is a failed check; after a lost connection no further checks are made.
    """
    checks: list[Check] = []
    try:
        if not is_embedded(db.url):
            refuse_transaction_pool(db.url)
        # Each statement commits by itself: a refused one must not affect the next.
        with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            checks.append(Check("connection", is_ok=True, message=_shown(db.url)))
            checks += check_versions(connection)
            migrations = _migrate(db, connection)
            for table in TABLES:
                checks.append(check_table(connection, table, is_made=migrations.is_ok))
            checks.append(migrations)
    except OperationalError as error:
        checks.append(Check("connection", is_ok=False, message=explain_unreachable(error, db.url)))
    except DatabaseNotReady as error:
        checks.append(Check("connection", is_ok=False, message=str(error)))
    return checks


def check_versions(connection: Connection) -> list[Check]:
    """Return the checks of the server's version and, if that is new enough, of pgvector's."""
    problem = None
    try:
        check_server(connection)
    except DatabaseNotReady as error:
        problem = str(error)
    number = connection.scalar(text("SELECT current_setting('server_version_num')::int"))
    server = connection.scalar(text("SHOW server_version"))
    if number < MIN_SERVER_VERSION:
        return [Check("server", is_ok=False, message=problem or f"PostgreSQL {server}")]
    pgvector = connection.scalar(
        text(
            "SELECT coalesce(installed_version, default_version) "
            "FROM pg_available_extensions WHERE name = 'vector'"
        )
    )
    return [
        Check("server", is_ok=True, message=f"PostgreSQL {server}"),
        Check("pgvector", is_ok=problem is None, message=problem or pgvector),
    ]


def check_table(connection: Connection, table: Table, *, is_made: bool) -> Check:
    """Return the check of *table*, with its rows; *is_made*: migrations should have created it."""
    name = f"table {table.name}"
    try:
        rows = connection.scalar(select(func.count()).select_from(table))
    except OperationalError:
        raise
    except DBAPIError as error:
        if getattr(error.orig, "pgcode", None) == _UNDEFINED_TABLE:
            advice = "put it back from a backup, or begin with an empty database."
            message = f"is lost: {advice}" if is_made else "is not there yet: see migrations."
            return Check(name, is_ok=False, message=message)
        advice = f"cannot be read: {first_line(error)}. Let its owner grant you the right."
        return Check(name, is_ok=False, message=advice)
    return Check(name, is_ok=True, message=f"{rows:,} {'row' if rows == 1 else 'rows'}")


def _migrate(db: DatabaseManager, connection: Connection) -> Check:
    """Migrate the tables, and return the check, which describes their state before."""
    try:
        before = read_revision(connection)
        ensure_schema(db.engine)
    except DatabaseNotReady as error:
        return Check("migrations", is_ok=False, message=str(error))
    except OperationalError:
        raise
    except DBAPIError as error:
        advice = "Migrate as the owner of the database: alembic upgrade head"
        return Check("migrations", is_ok=False, message=f"{first_line(error)}. {advice}")
    news = {
        HEAD_REVISION: "newest",
        None: "newest; the tables were created just now",
    }.get(before, f"newest; migrated from {before} just now")
    return Check("migrations", is_ok=True, message=f"{HEAD_REVISION} ({news})")


def _shown(url: URL) -> str:
    """Return *url* in the form that psql accepts, without the password."""
    hidden = " (password hidden)" if has_secrets(url) else ""
    safe = without_secrets(url).set(drivername="postgresql")
    return safe.render_as_string().replace("%2F", "/") + hidden
