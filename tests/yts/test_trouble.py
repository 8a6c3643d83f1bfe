"""`YtsClient`: the errors that are retried, the errors that are not, and their messages."""

import pytest

from tests.support.data.yts_responses import a_movie, a_row, details_response, page_response
from tests.support.servers.canned_server import Canned, CannedServer
from tests.support.servers.client_fixtures import MakeClient
from yts.client import YtsClient
from yts.errors import MalformedMovie, NotYts, YtsRefused, YtsUnavailable

#: A text like that of a 429 of YTS, with its byte that is not UTF-8.
SLOW_DOWN = b"You\x92ve asked too often, write to us."


@pytest.mark.parametrize(
    "response",
    [
        Canned(SLOW_DOWN, 429, {"Content-Type": "text/plain"}),
        Canned(b"", 429),
        Canned(b"<html>nginx</html>", 500),
        Canned(b"", 502),
        Canned(b"", 503),
        Canned(b"<html>GatewayTimeout</html>", 504),
        Canned(b"<html>Just a moment...</html>", 403),
        Canned(b"<html>Just a moment...</html>", 200),
        Canned(b"", 523),
        Canned(b"", 204),
        Canned(b'{"message":"Cannot read property \'perPage\' of undefined"}'),
        Canned(page_response(a_row(), status="error")),
        Canned(page_response(a_row()), cut_after=40),
        Canned(page_response(a_row()), headers={"Content-Encoding": "gzip"}),
        Canned(b"no size\r\n" + page_response(a_row()), headers={"Transfer-Encoding": "chunked"}),
        Canned(page_response(a_row()), headers={"Content-Length": "1, 2"}),
        Canned(is_reset=True),
    ],
    ids=lambda canned: f"{canned.status} {bytes(canned.body[:12])!r} {[*canned.headers]}",
)
def test_temporary_failures_are_retried(client: YtsClient, server: CannedServer, response: Canned):
    """
    Bodies that are not JSON, every outage, every block page (docs/yts-api.md, quirks 9 and
    11, section 8).
    """
    server.give(response, response, page_response(a_row(6)))

    assert [movie.id for movie in client.fetch_page(1, "asc").movies] == [6]
    assert client.requests_made == len(server.requests) == 3


@pytest.mark.parametrize("status", [400, 404, 410])
def test_a_refusal_is_not_retried(client: YtsClient, server: CannedServer, status: int):
    """
    404 on an endpoint means that this is not the API (docs/yts-api.md, section 8).
    """
    server.give(Canned(b'{"status":404}', status))
    with pytest.raises(YtsRefused, match=f"HTTP {status}, a status that YTS does not use"):
        client.fetch_page(1, "asc")
    assert len(server.requests) == 1


def test_a_malformed_movie_is_not_retried(client: YtsClient, server: CannedServer):
    """
    It is skipped, because another attempt gives the same.
    """
    server.give(details_response(a_movie(4711, rating="high")))
    with pytest.raises(MalformedMovie, match="rating: "):
        client.fetch_details(4711)
    assert len(server.requests) == 1


def test_the_last_attempt_raises_its_own_error(client: YtsClient, server: CannedServer):
    """
    It says what is wrong now.
    """
    server.give(Canned(b"", 500), Canned(b"", 503), Canned(b"[]"))
    with pytest.raises(NotYts):
        client.fetch_page(1, "asc")
    assert len(server.requests) == 5


def test_another_api_is_distinguished_from_an_outage(client_once: YtsClient, server: CannedServer):
    """
    Valid JSON without `status` is not YTS (docs/yts-api.md, quirk 11).
    """
    server.give(b'{"message":"Cannot read property \'perPage\' of undefined"}')
    with pytest.raises(NotYts, match="not from YTS"):
        client_once.fetch_page(1, "asc")


def test_errors_contain_no_query_and_no_password(make_client: MakeClient, server: CannedServer):
    """
    Errors are written to logs and to the ledger.
    """
    private = server.url.replace("http://", "http://me:secret@")
    elsewhere = {"Location": "http://me:secret@localhost/page?token=secret"}
    for response in (Canned(b"", 404), Canned(b"", 302, elsewhere), Canned(is_reset=True)):
        server.give(response)
        with pytest.raises((YtsRefused, YtsUnavailable)) as caught:
            make_client(api_url=private, attempts=1).fetch_page(1, "asc")
        assert "secret" not in str(caught.value)
        assert "?" not in str(caught.value)
        assert "limit" not in str(caught.value)
