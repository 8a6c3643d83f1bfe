"""Runs the migrations: for `alembic` on a terminal, and for the commands by `database.schema`."""

import sys

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine

import database.bookkeeping.models  # noqa: F401 -- fills the metadata
from database.config import read_database_url
from database.connection.env_file import UnreadableEnvFile, read_env_file
from database.connection.report_waits import report_waits
from database.connection.signal_handling import hear_signals
from database.connection.statements import cancel_statements, watched_cursor
from database.embedded.server import open_embedded
from database.errors import DatabaseNotReady, InvalidDatabaseUrl
from database.models import Base
from database.schema import lock_migrations
from database.vectors.spaces import INDEX_PREFIX


def _is_of_migrations(name: str | None, kind: str, _parents: object) -> bool:
    """Return whether migrations create the object *name*; they do not create indexes of spaces."""
    return not (kind == "index" and (name or "").startswith(INDEX_PREFIX))


def migrate(connection: Connection) -> None:
    """Migrate the database of *connection* to the requested revision."""
    lock_migrations(connection)
    context.configure(
        connection=connection, target_metadata=Base.metadata, include_name=_is_of_migrations
    )
    with context.begin_transaction():
        context.run_migrations()


def migrate_offline() -> None:
    """Write the SQL to stdout, for a database administrator to run."""
    context.configure(dialect_name="postgresql", target_metadata=Base.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()


def migrate_online() -> None:
    """Use the caller's connection, else open the database as the commands do."""
    if (connection := context.config.attributes.get("connection")) is not None:
        migrate(connection)
        return
    with hear_signals(end_wait, interrupt=leave), report_waits(say):
        migrate_database()


def migrate_database() -> None:
    """Open the database as the commands do, and migrate it."""
    try:
        read_env_file()
        url = read_database_url()
        server = None if url else open_embedded()
    except (UnreadableEnvFile, InvalidDatabaseUrl, DatabaseNotReady) as error:
        sys.exit(f"Error: {error}")
    try:
        url = url or server.url
        engine = create_engine(
            url, poolclass=NullPool, connect_args={"cursor_factory": watched_cursor(url)}
        )
        with engine.begin() as connection:
            migrate(connection)
    finally:
        if server:
            server.close()


def end_wait(_number: int) -> None:
    """Cancel running statements, so that the main thread reacts to the signal."""
    cancel_statements()


def say(sentence: str) -> None:
    """Report a long wait on stderr."""
    sys.stderr.write(f"{sentence}\n")


def leave(number: int) -> None:
    """Exit as at the end of the program, so that the embedded server is closed."""
    raise SystemExit(128 + number)


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
