"""`explain_trouble`, `explain_unreachable`: an error of the database as a message for the user."""

import re

from sqlalchemy import URL
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from yts.printable import one_line

#: Maximum length of a quoted message of PostgreSQL, which may contain a whole value.
MAX_REASON = 500

#: Part of a message of libpq, its meaning, and what to do.
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
        ("unsupported startup parameter", "statement pooling"),
        "is behind a connection pooler that refuses what this program needs",
        "Set DATABASE_URL to the server itself, or to a pool in session mode, and unset PGOPTIONS.",
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
        ("definition of service", "service file"),
        "is named by a service that libpq does not know",
        "Check PGSERVICE and PGSERVICEFILE, or service= in DATABASE_URL.",
    ),
    (
        ("No route to host", "Network is unreachable"),
        "cannot be reached: there is no route to its host",
        "Check the network, and the host in DATABASE_URL.",
    ),
    (
        ("Connection refused", "No such file or directory"),
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

#: The same for errors during work whose SQLSTATE says less than their text, or is misleading.
_SIGNS = (
    (
        "Read-only file system",
        "takes no writes: its file system is read-only",
        "Make it writable; Linux may have closed it after an error of the disk (see dmesg)",
    ),
    (
        "shared memory segment",
        "has too little shared memory",
        "Give it a larger /dev/shm (Docker: --shm-size), or set dynamic_shared_memory_type = sysv",
    ),
)

#: SQLSTATEs or their beginnings, their meaning during work, and what to do; the first match is
#: used.
_TROUBLES = (
    (
        "25006",
        "takes no writes: it is read-only",
        "Make it writable; if it is not a standby, default_transaction_read_only is on",
    ),
    ("42501", "refuses its user a right", "Let the owner of the tables grant it"),
    (
        ("42", "3F"),
        "does not have the tables it should have",
        "See what is wrong with: python test_db_connection.py",
    ),
    ("53100", "has no space left: its disk is full", "Free some space there"),
    ("53200", "is out of memory", "Give it more, or use fewer --workers"),
    ("53300", "has no connection left", "Use fewer --workers, or allow it more connections"),
    ("55P03", "waited too long for a lock", "Look in pg_stat_activity which session holds it"),
    ("57014", "cancels statements that take too long", "Raise statement_timeout for this user"),
    ("57P04", "was dropped", "Restore it from a backup, or create it again"),
    ("40", "repeatedly aborts transactions", "Wait until other programs are done with it"),
    (("08", "57P"), "went away", "See that it runs, and why it stopped in its log"),
    (
        ("58", "XX"),
        "reports an internal error",
        "Read its log before anything else, because data may be damaged",
    ),
    ("", "refuses its work", "Look into its log"),
)


def sqlstate(error: DBAPIError) -> str:
    """Return the five characters of the error's code; empty if the server sent none."""
    return getattr(error.orig, "pgcode", None) or ""


def first_line(error: DBAPIError) -> str:
    """Return the first line of PostgreSQL's message; the rest may repeat whole rows."""
    lines = str(error.orig).strip().splitlines() or [type(error.orig).__name__]
    return one_line(lines[0], MAX_REASON)


def explain_trouble(error: DBAPIError) -> str:
    """Return a message for the user about an error that ended a transaction."""
    state, reason = sqlstate(error), first_line(error).rstrip(".")
    for sign, meaning, advice in _SIGNS:
        if sign in str(error.orig):
            return f"The database {meaning} ({reason}). {advice}; then run the same command again."
    if not state and (message := _explain_connection(str(error.orig))):
        return f"The database {message}"
    state = state or "08"
    meaning, advice = next(texts for states, *texts in _TROUBLES if state.startswith(states))
    return f"The database {meaning} ({reason}). {advice}; then run the same command again."


def explain_unreachable(error: OperationalError, url: URL) -> str:
    """Return a message for the user about a connection that failed."""
    message = _explain_connection(str(error.orig)) or f"cannot be used: {first_line(error)}"
    return f"The database {_name_server(url, str(error.orig))} {message}"


def _name_server(url: URL, message: str) -> str:
    """Return user, host and database; if *url* has no host, it is taken from *message*."""
    server = URL.create("", url.username, None, url.host, url.port, url.database)
    name = server.render_as_string().partition("://")[2].removesuffix("/")
    tried = re.findall(r'connection to server (?:on socket|at) ("[^"]+"(?:, port \d+)?)', message)
    if url.host or not tried:
        return name or "of DATABASE_URL, which names no host,"
    where = " and ".join(dict.fromkeys(tried)).replace('"', "").replace(",", "")
    return f"{name} at {where}" if name else f"at {where}"


def _explain_connection(message: str) -> str | None:
    for signs, meaning, advice in _REASONS:
        if any(sign in message for sign in signs):
            return f"{meaning}. {advice}"
    return None


def explain_any(error: BaseException) -> str | None:
    """Return a message for the user about an error of the database; None for other errors."""
    if isinstance(error, PoolTimeout):
        return "The database has no connection left for this program. Try again in a moment."
    return explain_trouble(error) if isinstance(error, DBAPIError) else None
