"""Posters come from other hosts, all else from the server; what is not there is drawn."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.browser.conftest import OpenVisit
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings

#: The pages that show movies.
PATHS = ["/", "/browse", "/search?q=matrix", "/movies/the-matrix-1999"]


@pytest.fixture
def bare_site(mirror_url: URL) -> Iterator[str]:
    """Serve the practice movies without posters."""
    settings = ServerSettings(connections=2, has_posters=False)
    with DatabaseManager(mirror_url) as db, open_server(db, settings) as root:
        yield root


def test_nothing_but_posters_comes_from_other_hosts(visit: OpenVisit):
    """They are shown, and the policy of the page allows them."""
    opened = visit("/movies/the-matrix-1999")
    poster = opened.page.locator("main .poster img").first

    expect(poster).to_have_js_property("complete", True)
    expect(poster).to_have_js_property("naturalWidth", 2)
    posters = opened.page.locator("main img").evaluate_all("them => them.map(it => it.src)")
    assert {*opened.foreign} <= {*posters}
    assert opened.complaints == []


def test_a_poster_that_does_not_come_leaves_the_drawn_card(visit: OpenVisit, bare_site: str):
    """It looks as if there were no posters at all: nothing shows that an image is broken."""
    path = "/movies/the-matrix-1999"
    opened = visit(path, has_posters=False)
    bare = visit(path, root=bare_site)

    broken = opened.page.locator("main .poster").first
    expect(broken.locator("img")).to_have_js_property("complete", True)
    expect(broken).to_contain_text("The Matrix")
    assert opened.foreign
    assert broken.screenshot() == bare.page.locator("main .poster").first.screenshot()


def test_without_posters_no_other_host_is_named(visit: OpenVisit, bare_site: str):
    """`--no-posters`: neither a request nor an image, on any page."""
    opened = visit(PATHS[0], root=bare_site)
    for path in PATHS:
        opened.go(path)
        expect(opened.page.locator("main .poster").first).to_be_visible()
        assert opened.page.locator("img").count() == 0, path

    assert opened.foreign == []
    assert opened.complaints == []
