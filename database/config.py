"""Which database: an explicit URL, else DATABASE_URL, else the embedded server."""

import os

from sqlalchemy import URL, make_url
from sqlalchemy.exc import ArgumentError

from database.errors import InvalidDatabaseUrl

_EXAMPLE = "postgresql://user:password@host:5432/database"
#: SQLAlchemy takes psycopg 3 when an URL names no driver; this project uses psycopg2.
_DRIVER = "postgresql+psycopg2"


def parse_database_url(text: str) -> URL:
    """
    Read a PostgreSQL URL; `postgres://` is accepted, the driver is always psycopg2.

    Raises:
        InvalidDatabaseUrl: not a URL, or of another kind of database.
    """
    try:
        url = make_url(text.strip())
    except (ArgumentError, ValueError):
        # The text itself stays out of the message: it may hold a password.
        raise InvalidDatabaseUrl(
            f"The database URL cannot be read. It should look like {_EXAMPLE}"
        ) from None
    if "@" in (url.host or ""):
        # What is taken for the host begins with the end of a password.
        raise InvalidDatabaseUrl(
            "The database URL has more than one @. In a user name or password, write @ as %40 "
            f"and % as %25: {_EXAMPLE}"
        )
    if url.drivername.partition("+")[0] not in {"postgresql", "postgres"}:
        raise InvalidDatabaseUrl(
            f"The database URL is for {url.drivername!r}, but this project needs PostgreSQL: "
            f"{_EXAMPLE}"
        )
    return url.set(drivername=_DRIVER)


def read_database_url(explicit: str | URL | None = None) -> URL | None:
    """
    Return the URL to use, or None for the embedded server.

    Raises:
        InvalidDatabaseUrl: as `parse_database_url`.
    """
    if isinstance(explicit, URL):
        return explicit.set(drivername=_DRIVER)
    text = explicit or os.environ.get("DATABASE_URL", "").strip()
    return parse_database_url(text) if text else None
