"""Why a database cannot be reached, in a sentence that says what to do; never a password."""

from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

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
