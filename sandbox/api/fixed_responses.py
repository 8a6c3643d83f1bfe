"""Answers that say nothing of movies, and the frame of those that do."""

from aiohttp import web

#: The middle byte is a cp1252 apostrophe, so the text is not UTF-8 whatever the header claims.
_SLOW_DOWN = (
    b"Thank you for using this service! You have sent more requests than we can serve at the "
    b"moment, so please pause for a while. If you\x92d like a higher limit, tell "
    b"support@sandbox.invalid about your application and your IP address."
)
_HTML_ERROR = "<html>\n<head><title>{0}</title></head>\n<body><h1>{0}</h1></body>\n</html>\n"
_CHALLENGE = (
    '<!DOCTYPE html><html lang="en-US"><head><title>Just a moment...</title>'
    '<meta http-equiv="refresh" content="390"></head><body><noscript>Enable JavaScript and '
    "cookies to continue</noscript><script>window._cf_chl_opt={};</script></body></html>"
)


def json_response(body: bytes) -> web.Response:
    """Answer 200 with encoded JSON."""
    return web.Response(body=body, content_type="application/json")


def slow_down(retry_headers: dict[str, str]) -> web.Response:
    """Answer 429 as YTS does: plain text, and not quite UTF-8."""
    headers = {"Content-Type": "text/plain; charset=UTF-8", **retry_headers}
    return web.Response(status=429, body=_SLOW_DOWN, headers=headers)


def html_error(status: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    """Answer with a web server's own error page."""
    text = _HTML_ERROR.format(f"{status} {reason}")
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def challenge(status: int) -> web.Response:
    """Answer as Cloudflare does to a visitor it does not trust."""
    return web.Response(status=status, text=_CHALLENGE, content_type="text/html")
