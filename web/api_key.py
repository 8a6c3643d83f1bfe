"""`require_key`: with a key set, only requests that carry it are handled."""

import binascii
import hmac
from base64 import b64decode

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

#: Watchdogs need no key.
_OPEN = ("/healthz", "/readyz")
_MESSAGE = "This server needs the key of YTS_API_KEY, as `Authorization: Bearer KEY` or `X-Api-Key`"


def require_key(key: str, base_path: str, *, cors: bool) -> Middleware:
    """
    Return the middleware that asks for *key*; it compares in constant time.

    Only health below *base_path* needs none. With *cors*, browser programs of all sites may read
    why the YTS API refuses them.
    """
    open_paths = {f"{base_path}{path}" for path in _OPEN}

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        is_open = request.path in open_paths or request.method == "OPTIONS"
        if is_open or _has_key(request, key.encode()):
            return await handler(request)
        # Browsers ask for a password only if told so; programs need no window for it.
        is_api = "/api/" in request.path
        headers = {"WWW-Authenticate": "Bearer" if is_api else 'Basic realm="YTS mirror"'}
        if cors and "/api/v2/" in request.path:
            headers["Access-Control-Allow-Origin"] = "*"
        return web.Response(status=401, text=f"{_MESSAGE}.\n", headers=headers)

    return check


def _has_key(request: web.Request, key: bytes) -> bool:
    """Return whether one of both headers has the key: a proxy may use the other one itself."""
    sent = [request.headers.get("X-Api-Key", ""), _token(request.headers.get("Authorization", ""))]
    return any(
        hmac.compare_digest(text.strip().encode(errors="surrogateescape"), key) for text in sent
    )


def _token(authorization: str) -> str:
    """Return the key in a header: the token of a program, or the password of a browser."""
    scheme, _, token = authorization.partition(" ")
    if scheme.lower() == "bearer":
        return token
    if scheme.lower() != "basic":
        return ""
    try:
        return b64decode(token, validate=True).decode().partition(":")[2]
    except (binascii.Error, ValueError):
        return ""
