"""`masked_database_url`, `masked_url` ...: URLs as they may be shown, without their secrets."""

from urllib.parse import urlsplit

from database.config import parse_database_url, without_secrets
from database.errors import InvalidDatabaseUrl
from yts import settings


def masked_database_url(text: str) -> str:
    """Return a database URL that may be shown; with *** where a password has to be put back."""
    try:
        url = parse_database_url(text)
    except InvalidDatabaseUrl:
        return "***"
    shown = without_secrets(url).set(drivername="postgresql").render_as_string()
    return shown.replace("@", ":***@", 1) if url.password else shown


def masked_url(text: str) -> str:
    """Return the base URL of an API that may be shown; with *** for user and password."""
    try:
        url = settings.parse_api_url(text)
    except ValueError:
        return "***"
    safe = settings.without_secrets(url)
    return safe if "@" not in url else safe.replace("://", "://***@", 1)


def masked_ping_url(text: str) -> str:
    """Return the URL of a watchdog that may be shown: its path is the secret."""
    try:
        parts = urlsplit(text)
        host = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname
    except ValueError:
        return "***"
    return f"{parts.scheme}://{host}/***" if host else "***"
