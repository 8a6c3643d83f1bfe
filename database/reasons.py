"""Why a database cannot be reached, in a sentence that says what to do; never a password."""

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from database.transient import first_line

#: What libpq says, what it means, what to do.
_REASONS = (
    (
        ("password authentication failed", "no password supplied", "fe_sendauth"),
        "refuses the user name or password",
        "Check both in DATABASE_URL (special characters must be percent-encoded).",
    ),
    (
        ("certificate file", "certificate verify failed", "does not support SSL"),
        "cannot be reached over TLS as DATABASE_URL wants it",
        "Check sslmode and sslrootcert there.",
    ),
    (
        ("does not exist",),
        "does not know this database or user",
        "Create it (createdb NAME), or correct DATABASE_URL.",
    ),
    (
        ("could not translate host name", "Name or service not known"),
        "cannot be found: its host name is unknown",
        "Check the host in DATABASE_URL.",
    ),
    (
        ("Connection refused", "No such file or directory", "No route to host"),
        "cannot be reached: nothing listens there",
        "Start the server, or check host and port in DATABASE_URL.",
    ),
    (
        ("timeout expired", "timed out"),
        "does not answer within 10 seconds",
        "Check host, port and firewall.",
    ),
    (
        ("too many clients", "remaining connection slots", "too many connections"),
        "has no connection left",
        "Use fewer --workers, or raise max_connections on the server.",
    ),
    (
        ("starting up", "shutting down", "recovery mode"),
        "is just starting or stopping",
        "Try again in a moment.",
    ),
    (
        ("no pg_hba.conf entry",),
        "does not let this user in from this machine",
        "Ask its administrator for a pg_hba.conf entry.",
    ),
)


def explain_unreachable(error: OperationalError, url: URL) -> str:
    """Return a sentence for the user about a connection that failed."""
    message = str(error.orig).strip()
    place = URL.create("", url.username, None, url.host, url.port, url.database)
    name = place.render_as_string().partition("://")[2]
    for signs, meaning, advice in _REASONS:
        if any(sign in message for sign in signs):
            return f"The database {name} {meaning}. {advice}"
    first_line = message.splitlines()[0] if message else "no reason given"
    return f"The database {name} cannot be used: {first_line}"


_RIGHTS = ("42501", "25006")
_SCHEMA = ("42P01", "42703", "42883", "3F000")
_ROOM = ("53",)

#: Beginnings of SQLSTATEs that are no fault of this program, with what to do about them.
_TROUBLES = (
    (
        _RIGHTS,
        "Let the database user own the tables, in a database that takes writes.",
    ),
    (
        _SCHEMA,
        "The tables are not those of this program; see what is wrong with: test_db_connection.py",
    ),
    (_ROOM, "Give the server more room, or use fewer --workers."),
    (("08", "28", "3D", "57", "58", "XX"), "Look into the log of the server, and try again."),
    (("40", "55"), "Another program keeps the tables locked; try again when it is done."),
)


def spares_nobody(error: DBAPIError) -> bool:
    """Tell whether other rows would fail in the same way: rights, tables or room are lacking."""
    return (getattr(error.orig, "pgcode", None) or "").startswith(_RIGHTS + _SCHEMA + _ROOM)


def explain_trouble(error: BaseException) -> str | None:
    """Return a sentence about an error of the database itself; None if it is none."""
    if isinstance(error, PoolTimeout):
        return "The database has no connection left for this program. Try again in a moment."
    if not isinstance(error, DBAPIError):
        return None
    said = f"The database cannot go on: {first_line(error)}."
    state = getattr(error.orig, "pgcode", None)
    if state is None:
        is_lost = isinstance(error, OperationalError | InterfaceError)
        return f"{said} Try again when it is back." if is_lost else None
    advices = (advice for signs, advice in _TROUBLES if state.startswith(signs))
    return next((f"{said} {advice}" for advice in advices), None)
