"""`encode`, `list_body`, `html_error`, ...: bodies as PHP writes them, and web server responses."""

from collections.abc import Sequence
from json import JSONEncoder

from aiohttp import web

_ENVELOPE = (
    b'{"status":"ok","status_message":"Query was successful","data":%b,'
    b'"@meta":{"api_version":2,"execution_time":"0 ms"}}'
)
_encode = JSONEncoder(separators=(",", ":")).encode
#: The byte \x92 is a cp1252 apostrophe, so the text is not UTF-8, although the header says so.
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


def encode(value: object) -> bytes:
    r"""Encode like PHP: no spaces, \/ for slashes, \uXXXX for all that is not ASCII."""
    return _encode(value).replace("/", "\\/").encode("ascii")


def envelope(data: bytes) -> bytes:
    """Wrap encoded data as YTS does since 2026, without server time and time zone."""
    return _ENVELOPE % data


def list_body(movie_count: int, limit: int, page: int, rows: Sequence[bytes]) -> bytes:
    """Return a page of encoded rows; without rows the key `movies` is absent."""
    head = b'"movie_count":%d,"limit":%d,"page_number":%d' % (movie_count, limit, page)
    return envelope(b"{%b%b}" % (head, _movies(rows)))


def suggestions_body(rows: Sequence[bytes]) -> bytes:
    """Return suggestions; YTS always counts them as 0."""
    return envelope(b'{"movie_count":0%b}' % _movies(rows))


def details_body(movie: bytes) -> bytes:
    """Return the details of one encoded movie."""
    return envelope(b'{"movie":%b}' % movie)


def parental_guides_body() -> bytes:
    """Return the notice that YTS has sent since 2017 instead of parental guides."""
    guide = {"type": "Info", "parental_guide_text": "There are no parental guides at the moment."}
    return envelope(encode({"parental_guide_count": 1, "parental_guides": [guide]}))


def _movies(rows: Sequence[bytes]) -> bytes:
    return b',"movies":[%b]' % b",".join(rows) if rows else b""


def json_response(body: bytes) -> web.Response:
    """Return status 200 with encoded JSON."""
    return web.Response(body=body, content_type="application/json")


def slow_down(retry_headers: dict[str, str]) -> web.Response:
    """Return status 429 as YTS sends it: plain text that is not valid UTF-8."""
    headers = {"Content-Type": "text/plain; charset=UTF-8", **retry_headers}
    return web.Response(status=429, body=_SLOW_DOWN, headers=headers)


def html_error(status: int, reason: str, headers: dict[str, str] | None = None) -> web.Response:
    """Return an error page of a web server."""
    text = _HTML_ERROR.format(f"{status} {reason}")
    return web.Response(status=status, text=text, content_type="text/html", headers=headers)


def challenge(status: int) -> web.Response:
    """Return the challenge page of Cloudflare."""
    return web.Response(status=status, text=_CHALLENGE, content_type="text/html")
