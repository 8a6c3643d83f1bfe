"""`require_key`: with a key set, only requests that carry it are handled."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

#: Watchdogs need no key.
_OPEN = ("/healthz", "/readyz")
_MESSAGE = "This server needs the key of YTS_API_KEY, as `Authorization: Bearer KEY` or `X-Api-Key`"


def require_key(key: str) -> Middleware:
    """Return the middleware that asks for *key*; it compares in constant time."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_open = request.path.endswith(_OPEN) or request.method == "OPTIONS"
        if is_open or hmac.compare_digest(_sent_key(request), key.encode()):
            return await handler(request)
        headers = {"WWW-Authenticate": "Bearer"}
        return web.Response(status=401, text=f"{_MESSAGE}.\n", headers=headers)

    return check


def _sent_key(request: web.Request) -> bytes:
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = token if scheme.lower() == "bearer" else request.headers.get("X-Api-Key", "")
    return sent.strip().encode(errors="surrogateescape")
