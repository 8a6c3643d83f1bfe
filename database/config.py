"""`read_database_url`: an explicit URL, else DATABASE_URL, else None for the embedded server."""

import os
import re
from pathlib import Path
from urllib.parse import unquote

import psycopg2
from psycopg2.extensions import make_dsn
from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from database.connection.env_file import URL_FILE_VARIABLE, URL_VARIABLES
from database.errors import InvalidDatabaseUrl

_EXAMPLE = "postgresql://user:password@host:5432/database"
#: SQLAlchemy uses psycopg 3 if a URL names no driver; this project uses psycopg2.
_DRIVER = "postgresql+psycopg2"
#: Parameters of libpq in the query of a URL that are secret.
_SECRET_PARAMETERS = (
    "password",
    "sslpassword",
    "oauth_client_secret",
    "scram_client_key",
    "scram_server_key",
)


def parse_database_url(text: str, name: str = "The database URL") -> URL:
    """
    Read a PostgreSQL URL; `postgres://` is accepted, the driver is always psycopg2.

    *name* is its name in messages.

    Raises:
        InvalidDatabaseUrl: not a URL, or one of another kind of database.
    """
    # The text itself stays out of all messages: it may hold a password.
    unreadable = InvalidDatabaseUrl(f"{name} cannot be read. It should look like {_EXAMPLE}")
    if text.count("@") > 1:
        # The parsed host or database begins with the end of a password.
        raise InvalidDatabaseUrl(
            f"{name} has more than one @. In a user name or password, write @ as %40 "
            f"and % as %25: {_EXAMPLE}"
        )
    try:
        url = make_url(_name_hosts_apart(text.strip()))
    except (ArgumentError, ValueError):
        raise unreadable from None
    if "\0" in unquote(text):
        raise unreadable
    if url.drivername.partition("+")[0] not in {"postgresql", "postgres"}:
        raise InvalidDatabaseUrl(
            f"{name} is for {url.drivername!r}, but this project needs PostgreSQL: {_EXAMPLE}"
        )
    url = url.set(drivername=_DRIVER)
    try:
        make_dsn(**read_parameters(url))
    except ArgumentError:
        raise unreadable from None
    except psycopg2.ProgrammingError as error:
        reason = str(error).strip().removeprefix("invalid dsn: ")
        raise InvalidDatabaseUrl(f"{name} has an {reason}") from None
    return url


def _name_hosts_apart(text: str) -> str:
    """Return a URL with several hosts, as libpq accepts it, in the form that SQLAlchemy accepts."""
    scheme, _, rest = text.partition("://")
    authority = re.split(r"[/?]", rest, maxsplit=1)[0]
    path, _, query = rest[len(authority) :].partition("?")
    user, at, hosts = authority.rpartition("@")
    if "," not in hosts:
        return text
    named = [f"host={host}" for host in hosts.split(",")]
    return f"{scheme}://{user}{at}{path or '/'}?{'&'.join([*named, *filter(None, [query])])}"


def read_parameters(url: URL) -> dict[str, str]:
    """Return the libpq parameters in *url*; several hosts are one value, separated by commas."""
    parameters = url.get_dialect()().create_connect_args(url)[1]
    return {name: str(value) for name, value in parameters.items()}


def without_secrets(url: URL) -> URL:
    """Return *url* as it may be shown: without secrets, but otherwise complete."""
    # `URL.set` keeps the old value if it gets None.
    bare = URL.create(
        url.drivername, url.username, None, url.host, url.port, url.database, url.query
    )
    return bare.difference_update_query(_SECRET_PARAMETERS)


def has_secrets(url: URL) -> bool:
    """Return whether *url* contains what `without_secrets` removes."""
    return without_secrets(url) != url


def read_database_url(explicit: str | URL | None = None) -> URL | None:
    """
    Return the URL to use, or None for the embedded server.

    Raises:
        InvalidDatabaseUrl: as `parse_database_url`.
    """
    if isinstance(explicit, URL):
        return explicit.set(drivername=_DRIVER)
    explicit = (explicit or "").strip()
    for name in URL_VARIABLES:
        text = os.environ.get(name, "").strip()
        if text and explicit in {"", text}:  # A command may already have read it from the file.
            return parse_database_url(text, name)
    if explicit:
        return parse_database_url(explicit)
    text = _read_url_file()
    return parse_database_url(text, "The URL in DATABASE_URL_FILE") if text else None


def _read_url_file() -> str:
    """Return the contents of the file in DATABASE_URL_FILE, as used for secrets of containers."""
    name = os.environ.get(URL_FILE_VARIABLE, "").strip()
    if not name:
        return ""
    try:
        text = Path(name).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidDatabaseUrl(f"DATABASE_URL_FILE cannot be read: {error}") from None
    if not text:
        raise InvalidDatabaseUrl(f"DATABASE_URL_FILE names an empty file: {name}")
    return text
