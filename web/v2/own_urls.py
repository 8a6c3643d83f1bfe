"""`own_root`, `with_own_urls`: pages of movies at this server, under the name in a request."""

import re

from aiohttp import web

#: A Host header that can stand in a URL; anything else is not repeated.
_HOST = re.compile(r"(?:[a-z0-9.-]+|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?", re.IGNORECASE)
#: The page of a movie, in the encoding of the YTS API; torrents and images have other paths.
_PAGE = re.compile(rb'"url":"https?:(?:\\/|[^"\\])*?\\/movies\\/')


def own_root(request: web.Request, base_path: str) -> str:
    """
    Return the root URL of this server as the client of *request* knows it.

    A reverse proxy passes the name as Host, and the scheme as X-Forwarded-Proto. Of several
    schemes, which proxies after each other add, the first one is that of the client.
    """
    scheme = request.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    host = request.host if _HOST.fullmatch(request.host) else "localhost"
    return f"{'https' if scheme == 'https' else 'http'}://{host}{base_path}"


def with_own_urls(body: bytes, root: str) -> bytes:
    """Return a body of the YTS API whose pages of movies are below *root*."""
    page = f'"url":"{root}/movies/'.replace("/", "\\/").encode("ascii")
    return _PAGE.sub(lambda _match: page, body)
