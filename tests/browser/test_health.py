"""The health page while the mirror changes."""

from playwright.sync_api import expect

from database.db import DatabaseManager
from tests.browser.conftest import OpenVisit
from tests.support.browser.visits import DESK
from tests.support.data.movies import movie, save
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings


def test_the_health_page_follows_the_mirror(visit: OpenVisit, db: DatabaseManager):
    """
    It reads itself again after the time that it names; the test moves the clock of the page.
    """
    save(db, movie(1))
    with open_server(db, ServerSettings(connections=2)) as root:
        opened = visit("/health", DESK, root=root, is_frozen=True)
        main = opened.page.locator("main")
        seconds = float(main.get_attribute("data-refresh-seconds") or "")
        total = main.get_by_text("12", exact=True)
        expect(total).to_have_count(0)
        save(db, *(movie(number) for number in range(2, 13)))

        with opened.page.expect_response("**/health"):
            opened.page.clock.run_for(1000 * seconds + 100)

        expect(total.first).to_be_visible()
        assert opened.complaints == []
