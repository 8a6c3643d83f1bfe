"""`body_response`: a cached body, compressed or 304 where the client allows it; `add_slash`."""

import re

from aiohttp import ETag, web

from web.cache import CachedBody

JSON = "application/json"
#: When a client may try again after a 503, in seconds.
RETRY_SECONDS = 2


def body_response(request: web.Request, body: CachedBody, content_type: str) -> web.Response:
    """Return *body* for *request*; clients and proxies must ask again before they reuse it."""
    packed = body.compressed() if accepts_gzip(request) else None
    etag = body.etag if packed is None else _packed(body.etag)
    headers = {
        "ETag": etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    if _has_current(request, body.etag):
        return web.Response(status=304, headers=headers)
    if packed is not None:
        headers["Content-Encoding"] = "gzip"
    content = body.plain if packed is None else packed
    return web.Response(body=content, headers=headers, content_type=content_type)


async def add_slash(request: web.Request) -> web.StreamResponse:
    """Redirect to the same path with a slash after it."""
    return web.Response(status=308, headers={"Location": f"{request.path}/"})


def accepts_gzip(request: web.Request) -> bool:
    """Return whether the client names gzip, with a weight that is not 0."""
    for coding in request.headers.get("Accept-Encoding", "").lower().split(","):
        name, _, weight = coding.partition(";")
        if name.strip() == "gzip":
            return re.fullmatch(r"\s*q\s*=\s*0(\.0*)?\s*", weight) is None
    return False


def _packed(etag: str) -> str:
    """Return the tag of the compressed bytes of a content."""
    return f'{etag[:-1]}-gzip"'


def _has_current(request: web.Request, etag: str) -> bool:
    tags = request.if_none_match or ()
    current = {"*", etag.strip('"'), _packed(etag).strip('"')}
    return any(tag.value in current for tag in tags if isinstance(tag, ETag))
