"""A browser for each worker process, and windows in which tests open pages."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack

import pytest
from playwright.sync_api import Browser
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.browser.chromium import NoChromium, open_browser
from tests.support.browser.visits import DESK, Look, Visit, open_context
from tests.support.servers.web_server import open_server

OpenVisit = Callable[..., Visit]


# It ends with the last test of this folder: in its thread, no other event loop could run.
@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Start a browser; without one, tests are skipped, but they fail in CI."""
    with ExitStack() as stack:
        try:
            opened = stack.enter_context(open_browser())
        except NoChromium as error:
            (pytest.fail if os.environ.get("CI") else pytest.skip)(str(error))
        yield opened


@pytest.fixture(scope="package")
def site(mirror_url: URL) -> Iterator[str]:
    """Serve 300 practice movies, only to be read; the pages show their posters."""
    with DatabaseManager(mirror_url) as db, open_server(db) as root:
        yield root


@pytest.fixture
def visit(browser: Browser, request: pytest.FixtureRequest) -> Iterator[OpenVisit]:
    """
    Return a function that opens a page of the site, or of another one, in a new window.

    With *is_frozen*, the clock of the page stands still until the test moves it.
    """
    with ExitStack() as stack:

        def open_page(
            path: str,
            look: Look = DESK,
            *,
            root: str | None = None,
            has_posters: bool = True,
            is_frozen: bool = False,
        ) -> Visit:
            context = stack.enter_context(open_context(browser, look, has_posters=has_posters))
            if is_frozen:
                context.clock.install(time=0)
                context.clock.pause_at(1)
            root = root or request.getfixturevalue("site")
            opened = Visit(context.new_page(), root, look)
            opened.go(path)
            return opened

        yield open_page
