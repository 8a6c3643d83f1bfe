"""`require_key`: with a key set, only requests that carry it are handled."""

import hmac

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

#: Watchdogs need no key.
_OPEN = ("/healthz", "/readyz")
_MESSAGE = "This server needs the key of YTS_API_KEY, as `Authorization: Bearer KEY` or `X-Api-Key`"


def require_key(key: str, *, cors: bool) -> Middleware:
    """
    Return the middleware that asks for *key*; it compares in constant time.

    With *cors*, browser programs of all sites may read why the YTS API refuses them.
    """

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_open = request.path.endswith(_OPEN) or request.method == "OPTIONS"
        if is_open or _has_key(request, key.encode()):
            return await handler(request)
        headers = {"WWW-Authenticate": "Bearer"}
        if cors and "/api/v2/" in request.path:
            headers["Access-Control-Allow-Origin"] = "*"
        return web.Response(status=401, text=f"{_MESSAGE}.\n", headers=headers)

    return check


def _has_key(request: web.Request, key: bytes) -> bool:
    """Return whether one of both headers has the key: a proxy may use the other one itself."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    sent = [request.headers.get("X-Api-Key", ""), token if scheme.lower() == "bearer" else ""]
    return any(
        hmac.compare_digest(text.strip().encode(errors="surrogateescape"), key) for text in sent
    )
