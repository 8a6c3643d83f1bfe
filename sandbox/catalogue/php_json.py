"""Answers as bytes, written the way PHP's json_encode writes them."""

from collections.abc import Sequence
from json import JSONEncoder

_ENVELOPE = (
    b'{"status":"ok","status_message":"Query was successful","data":%b,'
    b'"@meta":{"api_version":2,"execution_time":"0 ms"}}'
)
_encode = JSONEncoder(separators=(",", ":")).encode


def encode(value: object) -> bytes:
    r"""Encode like PHP: no spaces, \/ for slashes, \uXXXX for all that is not ASCII."""
    return _encode(value).replace("/", "\\/").encode("ascii")


def envelope(data: bytes) -> bytes:
    """Wrap encoded data as YTS does since 2026, without server time and zone."""
    return _ENVELOPE % data


def list_body(movie_count: int, limit: int, page: int, rows: Sequence[bytes]) -> bytes:
    """Join encoded rows to a page; without rows the key `movies` is absent."""
    head = b'"movie_count":%d,"limit":%d,"page_number":%d' % (movie_count, limit, page)
    return envelope(b"{%b%b}" % (head, _movies(rows)))


def suggestions_body(rows: Sequence[bytes]) -> bytes:
    """Join suggestions; YTS counts them as 0 however many there are."""
    return envelope(b'{"movie_count":0%b}' % _movies(rows))


def details_body(movie: bytes) -> bytes:
    """Wrap one encoded movie."""
    return envelope(b'{"movie":%b}' % movie)


def _movies(rows: Sequence[bytes]) -> bytes:
    return b',"movies":[%b]' % b",".join(rows) if rows else b""
