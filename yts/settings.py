"""How to talk to a YTS API, and what its contract promises; plain values."""

from dataclasses import dataclass, field
from typing import Literal
from urllib.parse import urlsplit

from yts.printable import one_line

#: In the order they are tried; the site's own domain needs a User-Agent.
PUBLIC_API_URLS = ("https://movies-api.accel.li/api/v2", "https://yts.gg/api/v2")
#: The most that YTS gives on one page, and the most that we ask for.
MOVIES_PER_PAGE = 50

#: Of the list, by time of addition.
Order = Literal["asc", "desc"]


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """How to talk to one YTS API."""

    #: Without a trailing slash, for instance `https://yts.gg/api/v2`.
    api_url: str = field(repr=False)  # It may hold a password.
    connect_seconds: float = 10.0
    #: The longest silence within an answer, and the longest time for its whole head; YTS has
    #: been seen to think for 20 s.
    read_seconds: float = 30.0
    #: The longest that one whole answer may take, from connecting to its last byte.
    answer_seconds: float = 120.0
    #: Requests for one answer, the first included.
    attempts: int = 5
    #: The pause after the first failure; doubled after each further one, with jitter.
    backoff_seconds: float = 1.0
    max_backoff_seconds: float = 60.0


def parse_api_url(text: str) -> str:
    """
    Return a base URL as `ClientSettings` wants it.

    Raises:
        ValueError: says what is wrong, and nothing of the text, which may hold a password.
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
    """Return *url* as it may be shown: in one line, without user, password, query and fragment."""
    parts = urlsplit(url)
    return one_line(f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}", 200)
