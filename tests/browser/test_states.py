"""Pages of a mirror that is empty, that is away, or that has practice data."""

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import URL

from database.bookkeeping.sweep_state import set_source
from database.db import DatabaseManager
from tests.browser.conftest import OpenVisit
from tests.support.browser.visits import DESK, PHONE
from tests.support.data.movies import movie, save
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings

PATHS = ["/", "/browse", "/search?q=matrix", "/charts", "/health"]
SMALL = ServerSettings(connections=2)


def test_an_empty_mirror_says_how_to_fill_it(visit: OpenVisit, db: DatabaseManager):
    """Every page is whole, and names the command."""
    with open_server(db, SMALL) as root:
        opened = visit("/", PHONE, root=root)
        for path in PATHS:
            assert opened.go(path) == 200
            expect(opened.page.locator("main")).to_contain_text("fetch_yts_data.py")
            assert opened.faults() == [], path


def test_a_database_that_goes_away_is_a_page_too(
    visit: OpenVisit, new_database: Callable[..., URL], server_url: URL
):
    """503 in the look of all pages, without a word about the inside, and with the navigation."""
    url = new_database()
    with DatabaseManager(url) as db, open_server(db, SMALL) as root:
        opened = visit("/", DESK, root=root)
        run_sql(server_url, f"DROP DATABASE {url.database} WITH (FORCE)")

        assert opened.go("/browse") == 503
        expect(opened.page.get_by_role("navigation", name="Main")).to_be_visible()
        expect(opened.page.get_by_role("heading", level=1)).to_be_visible()
        assert str(url.database) not in opened.page.content()
        assert opened.faults(status=503) == []


@pytest.mark.parametrize("path", ["/", "/movies/1"])
def test_practice_data_is_marked_and_asks_no_other_host(
    visit: OpenVisit, db: DatabaseManager, path: str
):
    """Invented movies have no posters, although their rows name some."""
    save(db, movie(1))
    with db.get_session() as session:
        set_source(session, "sandbox")
    with open_server(db, SMALL) as root:
        opened = visit(path, PHONE, root=root)

        expect(opened.page.get_by_role("note")).to_contain_text("Practice data")
        assert opened.foreign == []
        assert opened.complaints == []
