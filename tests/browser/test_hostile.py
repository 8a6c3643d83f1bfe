"""What a catalogue says is text: it runs nothing, breaks nothing, and leads nowhere."""

from urllib.parse import quote

import pytest

from database.db import DatabaseManager
from tests.browser.conftest import OpenVisit
from tests.support.browser.hostile import HOSTILE, SCRIPT
from tests.support.browser.visits import PHONE
from tests.support.data.movies import save
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings

LINKS = "[...document.querySelectorAll('a, img, form')].map(it => it.href || it.src || it.action)"


@pytest.fixture
def hostile_site(db: DatabaseManager):
    """Serve a hostile catalogue."""
    save(db, *HOSTILE)
    with open_server(db, ServerSettings(connections=2)) as root:
        yield root


def test_a_hostile_catalogue_is_shown_as_text(visit: OpenVisit, hostile_site: str):
    """No dialog opens, no script runs, no link leads to a script, no text widens the page."""
    opened = visit("/", PHONE, root=hostile_site)
    paths = ["/", "/browse", f"/search?q={quote(SCRIPT)}", f"/people/{quote(SCRIPT, safe='')}"]
    paths += [f"/movies/{each['id']}" for each in HOSTILE]

    for path in paths:
        assert opened.go(path) == 200, path
        assert opened.faults() == [], path
        links = opened.page.evaluate(LINKS)
        assert [url for url in links if not url.startswith(("http://", "https://"))] == [], path
        assert "<script>alert" not in opened.page.evaluate("document.head.innerHTML"), path
        assert opened.page.locator("[onerror]").count() == 0, path
