"""`body_response`: a cached body as a response, compressed or 304 where the client allows it."""

from aiohttp import ETag, web

from web.cache import CachedBody

JSON = "application/json"


def body_response(request: web.Request, body: CachedBody, content_type: str) -> web.Response:
    """Return *body* for *request*; clients and proxies must ask again before they reuse it."""
    headers = {
        "ETag": body.etag,
        "Cache-Control": "no-cache",
        "Vary": "Accept-Encoding",
    }
    if _has_current(request, body.etag):
        return web.Response(status=304, headers=headers)
    content = body.plain
    if "gzip" in request.headers.get("Accept-Encoding", "") and (packed := body.compressed()):
        headers["Content-Encoding"] = "gzip"
        content = packed
    return web.Response(body=content, headers=headers, content_type=content_type)


def _has_current(request: web.Request, etag: str) -> bool:
    tags = request.if_none_match or ()
    return any(tag.value in ("*", etag.strip('"')) for tag in tags if isinstance(tag, ETag))
