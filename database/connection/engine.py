"""`open_engine`: connections with the settings of this program, to a server or a pooler."""

import os
import select
from typing import Any

from psycopg2.extensions import connection as DriverConnection  # noqa: N812 (it is a class)
from sqlalchemy import URL, Connection, Engine, NullPool, create_engine, event, text
from sqlalchemy.exc import DisconnectionError, OperationalError
from sqlalchemy.pool import ConnectionPoolEntry

from database.connection.kept_plans import keep_plans
from database.connection.statements import watched_cursor
from database.errors import DatabaseNotReady

APPLICATION_NAME = "yts-mirror"
#: Settings of every session, applied after connecting unless the user chose others. Like the
#: parameters below, they free the locks of a machine that was cut off after a minute.
_SETTINGS = {
    "tcp_keepalives_idle": "30",
    "tcp_keepalives_interval": "10",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "60000",
}
_TRANSACTION_POOL = (
    "This database is behind a connection pooler that gives each transaction another connection "
    "(PgBouncer calls it pool_mode = transaction), where locks and settings do not last. Set "
    "DATABASE_URL to the server itself, or to a pool in session mode; nothing was changed."
)
_BROKEN_OFF = (
    "This database closes connections that are in use. If it is behind a connection pooler, that "
    "needs session mode, and more connections than this program has workers; or set DATABASE_URL "
    "to the server itself."
)


def open_engine(
    url: URL,
    *,
    pool_size: int,
    max_overflow: int,
    application_name: str = APPLICATION_NAME,
    is_keyed: bool = False,
    pre_ping: bool = True,
) -> Engine:
    """
    Return an engine for *url*; set *is_keyed* in programs that look up all rows by keys.

    These repeat few statements, so their connections keep the plans that `plan_once` marks.
    With *pre_ping*, a connection that a server restart has cut is replaced before it is used. That
    is seen on the socket of this machine: a request to the server for each transaction would cost
    more than most of the transactions themselves.
    """
    engine = create_engine(
        url,
        pool_size=pool_size,
        max_overflow=max_overflow,
        connect_args=connection_parameters(url, application_name),
        use_native_hstore=False,  # Otherwise each first connection looks for this type.
    )
    # The startup parameter `options` is not used: poolers refuse it, and libpq would ignore
    # PGOPTIONS.
    command = settings_command(url, is_keyed=is_keyed)

    @event.listens_for(engine, "connect")
    def apply(connection: DriverConnection, _entry: ConnectionPoolEntry) -> None:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(command)
        connection.autocommit = False

    if is_keyed:
        keep_plans(engine)
    if pre_ping:
        _replace_cut(engine)
    return engine


def _replace_cut(engine: Engine) -> None:
    """Let the pool of *engine* replace connections that the server has closed meanwhile."""
    event.listen(engine, "connect", _note_new)
    event.listen(engine, "checkout", _refuse_cut)


def _note_new(_connection: DriverConnection, entry: ConnectionPoolEntry) -> None:
    entry.info["is_new"] = True


def _refuse_cut(connection: DriverConnection, entry: ConnectionPoolEntry, _proxy: object) -> None:
    """
    Let the pool replace a connection that has something to read: no statement is under way.

    It is the end of the connection. If it is only a message, the new connection does no harm. A
    new connection is not refused, because SQLAlchemy would call a second refusal a wrong use of it.
    If it is cut already, its first statement fails with an error that is repeated.
    """
    if entry.info.pop("is_new", False):
        return
    if not connection.closed:
        poll = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
        if not poll.poll(0):
            return
    raise DisconnectionError("the server has closed this connection")


def refuse_transaction_pool(url: URL) -> None:
    """
    Raise if *url* leads to a pooler that shares connections between transactions.

    In such a pool, another client gets the server connection of an idle client, or the idle client
    gets a different one later. Poolers choose in different ways, so two more clients are opened.

    Raises:
        DatabaseNotReady: it leads to one; the message says what to do.
        sqlalchemy.exc.OperationalError: no connection can be made.
    """
    engine = create_engine(
        url, connect_args=connection_parameters(url, APPLICATION_NAME), poolclass=NullPool
    )
    try:
        with engine.connect() as first, engine.connect() as second, engine.connect() as third:
            backend = _read_backend(first)
            first.rollback()
            # Both stay in their transactions, and so keep their server connections.
            for other in (second, third):
                if _read_backend(other) == backend or _read_backend(first) != backend:
                    raise DatabaseNotReady(_TRANSACTION_POOL)
                first.rollback()
    except OperationalError as error:
        if str(error.orig).startswith("server closed the connection"):  # After it was opened.
            raise DatabaseNotReady(_BROKEN_OFF) from error
        raise


def _read_backend(connection: Connection) -> int | None:
    """Begin a transaction, if none is open, and return the pid of the server's process."""
    pid: int | None = connection.scalar(text("SELECT pg_backend_pid()"))
    return pid


def connection_parameters(url: URL, application_name: str) -> dict[str, Any]:
    """Return the parameters of every connection, except those that *url* has itself."""
    ours: dict[str, str | int] = {
        "application_name": application_name,
        "connect_timeout": 10,
        "client_encoding": "utf8",
        # A silent network counts as a lost connection after a minute, not after two hours.
        "keepalives_idle": 30,
        "keepalives_interval": 10,
        "keepalives_count": 3,
        "tcp_user_timeout": 60_000,
    }
    chosen = {name: value for name, value in ours.items() if name not in url.query}
    return {**chosen, "cursor_factory": watched_cursor(url)}


def settings_command(url: URL, *, is_keyed: bool) -> str:
    """Return the SQL that applies our settings, except those that the user's options contain."""
    settings = dict(_SETTINGS)
    if is_keyed:
        # Tables that are being filled have no statistics yet, and PostgreSQL would scan them
        # repeatedly instead of looking up a hundred keys.
        settings["enable_seqscan"] = "off"
        # The plans do not depend on the keys: the first five uses need no plans of their own.
        settings["plan_cache_mode"] = "force_generic_plan"
    options = f"{url.query.get('options') or os.environ.get('PGOPTIONS', '')}"
    chosen = {name: value for name, value in settings.items() if name not in options}
    # Times are shown and exported in UTC, regardless of PGTZ and the settings of role and database.
    chosen["timezone"] = "UTC"
    return "; ".join(f"SET {name} = '{value}'" for name, value in chosen.items())
