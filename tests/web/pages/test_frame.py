"""What all pages have in common: headers, files, empty fields, errors, text of the catalogue."""

import re

import pytest
import requests

from database.db import DatabaseManager
from tests.support.data.movies import movie, save
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from web.pages.frame.links import checked_url
from web.settings import ServerSettings

EVIL = "<script>alert(1)</script>"


def test_a_page_may_load_nothing_but_its_own_files(served: str):
    """No script, style or image of another host, and nothing inline."""
    response = requests.get(f"{served}/", timeout=20)

    policy = response.headers["Content-Security-Policy"].split("; ")
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert {
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "form-action 'self'",
        "frame-ancestors 'none'",
    } <= {*policy}
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "Set-Cookie" not in response.headers
    assert not re.search(r"<style|<script(?! src)|\sstyle=|\son\w+=", response.text)


def test_files_are_kept_by_browsers_until_they_change(served: str):
    """An address with the tag of the content is kept for a year; one without is asked again."""
    page = requests.get(f"{served}/", timeout=20).text

    for name in ("style.css", "pages.js", "icon.svg"):
        address = re.search(rf'"(/static/{name}\?v=[^"]+)"', page)
        assert address
        kept = requests.get(f"{served}{address[1]}", timeout=20)
        assert "immutable" in kept.headers["Cache-Control"]
        assert kept.headers["ETag"]
        other = requests.get(f"{served}/static/{name}?v=1", timeout=20)
        assert (other.content, other.headers["Cache-Control"]) == (kept.content, "no-cache")
    assert requests.get(f"{served}/static/app.py", timeout=20).status_code == 404


def test_a_page_that_has_not_changed_is_not_sent_again(served: str):
    """304, with the policy of the page."""
    first = requests.get(f"{served}/", timeout=20)
    again = requests.get(f"{served}/", headers={"If-None-Match": first.headers["ETag"]}, timeout=20)

    assert (again.status_code, again.content) == (304, b"")


def test_empty_fields_of_a_form_are_not_in_the_address(served: str):
    """The client is sent to the address without them, so that equal pages have equal addresses."""
    response = requests.get(f"{served}/?a=&b=+", allow_redirects=False, timeout=20)

    assert (response.status_code, response.headers["Location"]) == (303, "/")


@pytest.mark.parametrize(
    ("method", "path", "status", "words"),
    [
        ("GET", "/nothing", 404, "nothing at this address"),
        ("GET", "/movies/no-such-movie", 404, "no movie at this address"),
        ("GET", "/?color=red", 400, "This parameter is unknown"),
        ("POST", "/", 405, "can only be read"),
    ],
)
def test_errors_are_pages(served: str, method: str, path: str, status: int, words: str):
    """In the look of all pages, with the headers of all responses."""
    response = requests.request(method, f"{served}{path}", timeout=20)

    assert response.status_code == status
    assert response.headers["Content-Type"] == "text/html; charset=utf-8"
    assert response.headers["X-Content-Type-Options"] == "nosniff"
    assert "style-src 'self'" in response.headers["Content-Security-Policy"]
    assert words in response.text
    assert '<main id="content"' in response.text


@pytest.mark.parametrize("path", ["/api/v1/nothing", "/api/v2/nothing.json"])
def test_programs_get_no_pages(served: str, path: str):
    """Errors of the APIs stay as they are."""
    response = requests.get(f"{served}{path}", timeout=20)

    assert (response.status_code, "html" in response.headers["Content-Type"]) == (404, False)


def test_text_of_the_catalogue_is_shown_and_never_run(db: DatabaseManager):
    """It is escaped, and characters that change the direction or move a cursor are left out."""
    title = f"Lamp {EVIL} \u202egnp.exe \x1b[2J"
    db.save_movie({"id": 1, "title": title, "slug": "lamp-2001", "genres": [EVIL], "torrents": []})
    with open_server(db, ServerSettings(connections=1)) as root:
        pages = [requests.get(f"{root}{path}", timeout=20).text for path in ("/", "/movies/1")]

    for page in pages:
        assert "Lamp &lt;script&gt;" in page
        assert EVIL not in page
        assert not {"\u202e", "\x1b"} & {*page}


@pytest.mark.parametrize(
    ("url", "is_usable"),
    [
        ("https://img.example/a/b.jpg", True),
        ("https://img.example:8443/a.jpg?x=1&y=%20", True),
        ("javascript:alert(1)", False),
        ("data:text/html,x", False),
        ("//img.example/a.jpg", False),
        ("https://user@img.example/a.jpg", False),
        ("https://img.example/a.jpg; script-src *", False),
        ("https://img.example\n/a.jpg", False),
        ("https://*/a.jpg", False),
        ("https://[::1/a.jpg", False),
        ("", False),
        (None, False),
    ],
)
def test_only_ordinary_urls_of_the_catalogue_are_used(url: str | None, is_usable: bool):
    """Their hosts stand in the policy of a page, so nothing but a host may pass."""
    assert (checked_url(url) is not None) is is_usable


def test_only_hosts_of_posters_on_the_page_are_allowed(db: DatabaseManager):
    """And none with `--no-posters`, where no page names an image of another host."""
    movies = [
        (1, "https://one.example/1.jpg"),
        (2, "https://two.example/2.jpg"),
        (3, "http://plain.example/3.jpg"),
    ]
    for number, url in movies:
        db.save_movie(
            {"id": number, "title": f"Lamp {number}", "slug": f"lamp-{number}",
             "medium_cover_image": url, "torrents": []}
        )  # fmt: skip
    found = {}
    for has_posters in (True, False):
        settings = ServerSettings(connections=1, has_posters=has_posters)
        with open_server(db, settings) as root:
            for path in ("/", "/movies/lamp-1"):
                response = requests.get(f"{root}{path}", timeout=20)
                policy = response.headers["Content-Security-Policy"]
                images = re.search(r"img-src ([^;]*)", policy)
                assert images
                shown = re.findall(r'<img src="([^"]*)"', response.text)
                assert 'referrerpolicy="no-referrer"' in response.text or not shown
                found[has_posters, path] = images[1], sorted(shown)

    assert found[True, "/"] == (
        "'self' https://one.example https://two.example",
        ["https://one.example/1.jpg", "https://two.example/2.jpg"],
    )
    assert found[True, "/movies/lamp-1"][0] == "'self' https://one.example"
    assert found[False, "/"] == ("'self'", [])
    assert found[False, "/movies/lamp-1"] == ("'self'", [])


def test_a_browser_gives_the_key_as_a_password(db: DatabaseManager):
    """It is asked for one on pages alone; any user name will do."""
    with open_server(db, ServerSettings(connections=1, api_key="a key: ü")) as root:
        asked = requests.get(f"{root}/", timeout=20)
        api = requests.get(f"{root}/api/v1/stats", timeout=20)
        key = "a key: ü".encode()
        answers = [
            requests.get(f"{root}/", auth=(b"", password), timeout=20).status_code
            for password in (key, b"another")
        ]
        broken = {"Authorization": "Basic /w=="}
        assert requests.get(f"{root}/", headers=broken, timeout=20).status_code == 401

    assert (asked.status_code, api.status_code) == (401, 401)
    assert asked.headers["WWW-Authenticate"].startswith("Basic ")
    assert "A key is needed" in asked.text
    assert api.headers["WWW-Authenticate"] == "Bearer"
    assert answers == [200, 401]


def test_a_page_without_a_database_says_when_to_try_again(db: DatabaseManager):
    """503 as a page, without names of the server; later the address works again."""
    with open_server(db, ServerSettings(connections=1)) as root:
        run_sql(db.url, "ALTER TABLE movies RENAME TO films")
        away = requests.get(f"{root}/browse", timeout=20)
        run_sql(db.url, "ALTER TABLE films RENAME TO movies")
        assert requests.get(f"{root}/browse", timeout=20).status_code == 200

    assert away.status_code == 503
    assert int(away.headers["Retry-After"]) > 0
    assert "Not available at the moment" in away.text
    assert "films" not in away.text


def test_all_addresses_of_pages_are_below_the_base_path(db: DatabaseManager):
    """Behind a proxy, each link and file works; there are no relative addresses."""
    save(db, movie(1, genres=["Drama"]))
    settings = ServerSettings(connections=1, base_path="/films")
    with open_server(db, settings) as root:
        for path in ("/", "/browse?genre=Drama", "/movies/1", "/people/Person%201", "/nothing"):
            page = requests.get(f"{root}{path}", timeout=20).text
            for address in re.findall(r'(?:href|src|action)="([^"#]+)"', page):
                assert address.startswith(("/films/", "https://")), address
        moved = requests.get(f"{root}/browse?genre=", allow_redirects=False, timeout=20)

    assert moved.headers["Location"] == "/films/browse"
