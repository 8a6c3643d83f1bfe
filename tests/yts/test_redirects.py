"""`Transport`: redirects within the host are followed, others are refused."""

import pytest

from tests.support.data.yts_responses import a_row, page_response
from tests.support.servers.canned_server import Canned, CannedServer, open_canned
from yts.client import YtsClient
from yts.errors import YtsRefused, YtsUnavailable
from yts.transport import is_same_origin


def redirect_to(target: str, status: int = 301) -> Canned:
    """Return a redirect."""
    return Canned(b"<html>Moved</html>", status, {"Location": target})


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_to_another_host_is_not_followed(
    client: YtsClient, server: CannedServer, status: int
):
    """
    Domains get other owners (docs/yts-api.md, section 1): only the user decides where YTS is.
    The message names the new URL and the option.
    """
    with open_canned() as other:
        elsewhere = other.url.replace("127.0.0.1", "localhost")
        server.give(redirect_to(f"{elsewhere}/list_movies.json?page=1", status))
        with pytest.raises(YtsRefused, match=rf"{elsewhere}/list_movies\.json: .*--api-url"):
            client.fetch_page(1, "asc")

        assert len(server.requests) == 1
        assert other.requests == []


@pytest.mark.parametrize(
    "target", ["//yts.invalid/api", "https://yts.invalid", "http://127.0.0.2/"]
)
def test_every_way_to_name_another_host_is_refused(
    client: YtsClient, server: CannedServer, target: str
):
    """
    The target may lack a scheme or a path, or be a similar address.
    """
    server.give(redirect_to(target))
    with pytest.raises(YtsRefused, match="redirects to"):
        client.fetch_page(1, "asc")


@pytest.mark.parametrize("target", ["/api/v3/list.json?page=9", "v3/list.json?page=9"])
def test_a_redirect_on_the_same_host_is_followed(
    client: YtsClient, server: CannedServer, target: str
):
    """
    The path may be absolute or relative to the endpoint; the old query is dropped.
    """
    server.give(redirect_to(target), page_response(a_row(5)))

    assert [movie.id for movie in client.fetch_page(1, "asc").movies] == [5]
    assert [request.path for request in server.requests] == [
        "/api/v2/list_movies.json",
        f"/api/{'v2/' * (target[0] != '/')}v3/list.json",
    ]
    assert server.requests[1].query == {"page": "9"}


def test_a_redirect_to_another_port_is_not_followed(client: YtsClient, server: CannedServer):
    """
    Another server may listen there.
    """
    with open_canned() as other:
        server.give(redirect_to(f"{other.url}/list_movies.json"))
        with pytest.raises(YtsRefused, match=rf"redirects to {other.url}/list_movies\.json: "):
            client.fetch_page(1, "asc")
        assert other.requests == []


@pytest.mark.parametrize(
    ("url", "target", "is_followed"),
    [
        ("http://yts.gg/a", "https://yts.gg/b", True),
        ("http://yts.gg:80/a", "https://YTS.gg:443/b", True),
        ("https://yts.gg/a", "https://yts.gg:443/b", True),
        ("https://yts.gg/a", "http://yts.gg/b", False),
        ("https://yts.gg:443/a", "http://yts.gg:443/b", False),
        ("http://yts.gg/a", "https://yts.gg:8443/b", False),
        ("http://yts.gg:8080/a", "https://yts.gg/b", False),
        ("http://yts.gg:8080/a", "https://yts.gg:8080/b", False),
        ("https://yts.gg/a", "ftp://yts.gg/b", False),
        ("https://yts.gg/a", "https://yts.gg.example/b", False),
        ("https://yts.gg/a", "https://yts.gg@example.org/b", False),
        ("https://[::1]/a", "https://[::1]/b", True),
    ],
)
def test_a_redirect_must_keep_scheme_host_and_port(url: str, target: str, *, is_followed: bool):
    """
    Only http may become https, on the default ports, and not the other way round.
    """
    assert is_same_origin(url, target) is is_followed


def test_the_target_of_a_redirect_is_shown_without_control_characters(
    client: YtsClient, server: CannedServer
):
    """
    Long targets are cut, so that the advice after them stays readable.
    """
    nasty = "http://other.example/\x9b2J\u202e" + "a" * 5000
    server.give(redirect_to(nasty.encode().decode("latin-1")))
    with pytest.raises(YtsRefused, match=r"say so with --api-url$") as caught:
        client.fetch_page(1, "asc")
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500


def test_a_redirect_with_a_full_address_of_the_same_host_is_followed(
    client: YtsClient, server: CannedServer
):
    """
    Most servers send it.
    """
    server.give(redirect_to(f"{server.root}/new"), page_response(a_row(5)))
    assert len(client.fetch_page(1, "asc").movies) == 1


def test_the_home_page_in_place_of_the_api_is_retried(client: YtsClient, server: CannedServer):
    """
    The API was redirected to the home page for hours (docs/yts-api.md, section 8).
    """
    server.give(redirect_to("/"), Canned(b"<html>Movies!</html>"), page_response(a_row(5)))
    assert len(client.fetch_page(1, "asc").movies) == 1
    assert len(server.requests) == 3


def test_redirects_in_circles_end(client_once: YtsClient, server: CannedServer):
    """
    At most three redirects are followed.
    """
    server.give(redirect_to("/api/v2/list_movies.json"))
    with pytest.raises(YtsUnavailable, match="redirects in circles"):
        client_once.fetch_page(1, "asc")
    assert len(server.requests) == 4


def test_the_third_redirect_may_lead_to_the_response(client_once: YtsClient, server: CannedServer):
    """
    The final response does not count as a redirect.
    """
    server.give(*[redirect_to("/next")] * 3, page_response(a_row(5)))
    assert len(client_once.fetch_page(1, "asc").movies) == 1


@pytest.mark.parametrize(
    "target", ["http://[", "http://127.0.0.1:port/", "http://127.0.0.1:99999/"]
)
def test_an_invalid_target_of_a_redirect_is_unavailable(
    client_once: YtsClient, server: CannedServer, target: str
):
    """
    A target that cannot be parsed raises an error of `yts.errors`.
    """
    server.give(redirect_to(target))
    with pytest.raises(YtsUnavailable, match="redirects to nowhere"):
        client_once.fetch_page(1, "asc")
