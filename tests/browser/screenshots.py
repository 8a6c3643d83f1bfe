"""
Take the pictures of the pages for the documentation: `python -m tests.browser.screenshots`.

They show the practice data, and differ from earlier ones only where a page shows a time or the
genre of a day. Chromium takes the fonts of this machine: `fonts-noto-core` was used.
"""

import tempfile
from pathlib import Path

from playwright.sync_api import Browser

from database.db import get_db_manager
from database.embedded.server import open_embedded
from embeddings.index import embed_all
from sandbox.api.sandbox_server import open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.browser.chromium import open_browser
from tests.support.browser.visits import DESK, PHONE, Look, open_context
from tests.support.paths import REPO
from tests.support.runs import fetch
from tests.support.servers.web_server import open_server

FOLDER = REPO / "docs" / "images"
#: Name of a file: the path of a page, and the look.
PICTURES = {
    "start": ("/", DESK),
    "browse": ("/browse?genre=Drama&year_from=1990&sort=rating", DESK),
    "search": ("/search?q=hacker+finds+out+the+world+is+a+computer+simulation", DESK),
    "movie": ("/movies/the-matrix-1999", DESK),
    "movie-phone": ("/movies/the-matrix-1999", PHONE),
    "person": ("/people/Keanu%20Reeves", DESK),
    "charts": ("/charts", DESK),
    "health": ("/health", DESK),
}


def main() -> None:
    """Serve practice data, and write all pictures."""
    with (
        tempfile.TemporaryDirectory() as home,
        open_embedded(Path(home)) as server,
        open_sandbox(SandboxSettings(movies=400)) as sandbox,
        get_db_manager(database_url=server.url) as db,
    ):
        fetch(db, sandbox.url, threads=8)
        embed_all(db)
        with open_server(db) as root, open_browser() as browser:
            FOLDER.mkdir(exist_ok=True)
            for name, (path, look) in PICTURES.items():
                picture = take_picture(browser, f"{root}{path}", look)
                (FOLDER / f"{name}.png").write_bytes(picture)


def take_picture(browser: Browser, url: str, look: Look) -> bytes:
    """Return a picture of what the window shows of a page, as PNG."""
    with open_context(browser, look) as context:
        page = context.new_page()
        page.goto(url)
        return page.screenshot(animations="disabled")


if __name__ == "__main__":
    main()
