"""`serve_movies.py --urls own`: the pages of movies are on this server, all else stays at YTS."""

from collections.abc import Iterator

import pytest
import requests
from markupsafe import escape
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings

PATHS = ("list_movies.json?limit=50", "movie_details.json?movie_id=5&with_images=1&with_cast=1",
         "movie_suggestions.json?movie_id=5", "movie_details.json?movie_id=999999")  # fmt: skip


@pytest.fixture(scope="module")
def own(mirror_url: URL) -> Iterator[str]:
    """Serve the mirror with its own URLs, below a path and under a further name."""
    settings = ServerSettings(
        connections=2,
        base_path="/mirror",
        has_own_urls=True,
        allowed_hosts=frozenset({"films.example"}),
    )
    with DatabaseManager(mirror_url) as db, open_server(db, settings) as root:
        yield root


def read(root: str, path: str, **headers: str) -> str:
    """Return the text of an endpoint."""
    response = requests.get(f"{root}/api/v2/{path}", headers=headers, timeout=20)
    assert response.status_code == 200
    return response.text


@pytest.mark.parametrize("path", PATHS)
def test_only_the_pages_of_movies_are_on_this_server(path: str, served: str, own: str):
    """The bodies are those of `--urls yts`, byte for byte, apart from the beginning of pages."""
    at_yts, local = read(served, path), read(own, path)
    root = own.replace("/", r"\/")

    pages = at_yts.count(r'"url":"https:\/\/yts.gg\/movies\/')
    assert pages >= 1
    assert local.count(rf'"url":"{root}\/movies\/') == pages
    assert local == at_yts.replace(
        r'"url":"https:\/\/yts.gg\/movies\/', rf'"url":"{root}\/movies\/'
    )


def test_pages_have_the_name_under_which_a_client_reaches_the_server(own: str):
    """A proxy says with `X-Forwarded-Proto` that it encrypts; each name has its own responses."""
    path = "movie_details.json?movie_id=5"
    name = r'"url":"{}:\/\/films.example\/mirror\/movies\/'

    first = read(own, path, Host="films.example", **{"X-Forwarded-Proto": "https"})
    assert name.format("https") in first
    assert name.format("http") in read(own, path, Host="films.example")
    assert own.replace("/", r"\/") in read(own, path)
    for scheme in ("https", "HTTPS, http"):
        assert read(own, path, Host="films.example", **{"X-Forwarded-Proto": scheme}) == first


@pytest.mark.parametrize("host", ['localhost:1">x', "localhost:1/..", "localhost:99999999"])
def test_a_name_that_fits_in_no_url_is_not_repeated(own: str, host: str):
    """The response is valid JSON, with another name of this machine."""
    response = requests.get(
        f"{own}/api/v2/movie_details.json?movie_id=5", headers={"Host": host}, timeout=20
    )

    assert response.json()["data"]["movie"]["url"].startswith("http://localhost/mirror/movies/")


def test_the_pages_lead_to_the_movies(own: str):
    """The URL of each movie of a list can be opened: it is the page of the movie."""
    movies = requests.get(f"{own}/api/v2/list_movies.json", timeout=20).json()["data"]["movies"]

    pages = [requests.get(movie["url"], timeout=20).text for movie in movies]

    for movie, page in zip(movies, pages, strict=True):
        assert f"<h1>{escape(movie['title'])}</h1>" in page
    assert requests.get(f"{own}/movies/no-such-movie", timeout=20).status_code == 404
