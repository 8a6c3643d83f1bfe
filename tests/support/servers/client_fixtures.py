"""`MakeClient`: type of the fixture for clients; `read_row`: parse a list page with one row."""

from collections.abc import Callable

from tests.support.data.yts_responses import Json, page_response
from yts.client import YtsClient
from yts.payload import MoviePayload
from yts.responses import parse_page

#: Takes the fields of `ClientSettings` and the arguments of `YtsClient`.
MakeClient = Callable[..., YtsClient]


def read_row(row: Json) -> MoviePayload:
    """Return the movie of a page with one row, which must be valid."""
    page = parse_page(page_response(row))
    assert page.malformed == ()
    return page.movies[0]
