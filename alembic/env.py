"""Runs the migrations: for `alembic` on a terminal, and for the doors by `database.schema`."""

import sys

from alembic import context
from sqlalchemy import Connection, NullPool, create_engine

import database.bookkeeping  # noqa: F401 -- fills the metadata
from database.config import read_database_url
from database.embedded import open_embedded
from database.env_file import UnreadableEnvFile, read_env_file
from database.errors import DatabaseNotReady, InvalidDatabaseUrl
from database.models import Base
from database.schema import lock_migrations
from database.spaces import INDEX_PREFIX


def _is_of_migrations(name: str | None, kind: str, _parents: object) -> bool:
    """Tell whether migrations make what is called *name*: the indexes of spaces they do not."""
    return not (kind == "index" and (name or "").startswith(INDEX_PREFIX))


def migrate(connection: Connection) -> None:
    """Bring *connection*'s database to the revision that was asked for."""
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
    """Use the caller's connection, else open the database as the doors do."""
    if (connection := context.config.attributes.get("connection")) is not None:
        migrate(connection)
        return
    try:
        read_env_file()
        url = read_database_url()
        server = None if url else open_embedded()
    except (UnreadableEnvFile, InvalidDatabaseUrl, DatabaseNotReady) as error:
        sys.exit(f"Error: {error}")
    try:
        engine = create_engine(url or server.url, poolclass=NullPool)
        with engine.begin() as connection:
            migrate(connection)
    finally:
        if server:
            server.close()


if context.is_offline_mode():
    migrate_offline()
else:
    migrate_online()
