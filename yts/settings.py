"""`ClientSettings`: base URL, timeouts and retries; `parse_api_url`, `without_secrets` (pure)."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from yts.printable import one_line

#: In the order of attempts; yts.gg requires a User-Agent.
PUBLIC_API_URLS = ("https://movies-api.accel.li/api/v2", "https://yts.gg/api/v2")
#: Largest page of YTS, which is also the page size of requests.
MOVIES_PER_PAGE = 50

#: Order of the list, by time of addition.
Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """Base URL, timeouts and retries for one YTS API."""

    #: Without a trailing slash, for instance `https://yts.gg/api/v2`.
    api_url: str = field(repr=False)  # It may hold a password.
    connect_seconds: float = 10.0
    #: Longest silence within a response, and longest time for its whole head; YTS has needed
    #: up to 20 s.
    read_seconds: float = 30.0
    #: Longest time for a whole response, from connecting to its last byte.
    response_seconds: float = 120.0
    #: Attempts for one response, the first included.
    attempts: int = 5
    #: Pause after the first failure; doubled after each further failure, with jitter.
    backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0


def parse_api_url(text: str) -> str:
    """
    Return a base URL in the form of `ClientSettings.api_url`.

    Raises:
        ValueError: the message says what is wrong, without the text, which may hold a password.
    """
    url = text.strip().rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise ValueError("an URL begins with https:// or http://")
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if not host:
        raise ValueError("it cannot be read; it should look like https://yts.gg/api/v2")
    if "@" in parts.path:
        raise ValueError("in a user name or password, write / as %2F and @ as %40")
    if "?" in url or "#" in url:
        raise ValueError("a base URL ends with its path, without ? and #")
    return url


def without_secrets(url: str) -> str:
    """Return *url* in one line, without user, password, query and fragment."""
    parts = urlsplit(url)
    return one_line(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", 200)
