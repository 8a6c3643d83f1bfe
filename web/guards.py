"""`guard_requests`: refuses requests for other hosts and other methods, and adds safe headers."""

from functools import lru_cache
from ipaddress import ip_address

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
#: The header of responses that say which methods there are.
ALLOWED = {"Allow": ", ".join(sorted(_METHODS))}
#: Headers of every response; one that has its own policy keeps it.
SAFE_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
}
#: Longest URL with its query, in characters.
LONGEST_URL = 8000


def guard_requests(allowed_hosts: frozenset[str]) -> Middleware:
    """
    Return the middleware for all requests.

    A page of another site can make a browser send requests to this machine under the name of
    that site, so the Host header must be a loopback name, an IP address or one of *allowed_hosts*.
    """

    @web.middleware
    async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
        response = refusal(request) or await handle(request, handler)
        for name, value in SAFE_HEADERS.items():
            response.headers.setdefault(name, value)
        return response

    def refusal(request: web.Request) -> web.Response | None:
        if not is_allowed(request.host, allowed_hosts):
            return _refuse(421, "This server is not known by that name; allow it: --allow-host")
        if request.method not in _METHODS:
            return _refuse(405, "This server can only be read: use GET or HEAD", ALLOWED)
        if len(request.raw_path) > LONGEST_URL:
            return _refuse(414, f"The URL is longer than {LONGEST_URL} characters")
        return None

    async def handle(request: web.Request, handler: Handler) -> web.StreamResponse:
        try:
            return await handler(request)
        except web.HTTPNotFound:
            return _refuse(404, "There is nothing at this address")
        except web.HTTPMethodNotAllowed:  # OPTIONS of a page
            return web.Response(status=204, headers=ALLOWED)

    return guard


@lru_cache(256)
def is_allowed(host: str, allowed_hosts: frozenset[str]) -> bool:
    """Return whether *host*, a Host header, may name this server."""
    name = host.rpartition(":")[0] if not host.endswith("]") and ":" in host else host
    name = name.strip("[]").lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost") or name in allowed_hosts:
        return True
    try:
        ip_address(name)
    except ValueError:
        return False
    return True


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach a server that listens on *host*."""
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def _refuse(status: int, message: str, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(status=status, text=f"{message}.\n", headers=headers)
