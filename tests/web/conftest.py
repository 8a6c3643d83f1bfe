"""`served`: the root URL of a server over the mirror with 300 practice movies."""

from collections.abc import Iterator

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.servers.web_server import open_server
from web.settings import ServerSettings


@pytest.fixture(scope="session")
def served(mirror_url: URL) -> Iterator[str]:
    """Serve a mirror that tests must not change."""
    settings = ServerSettings(connections=4, checks_responses=True)
    with DatabaseManager(mirror_url) as db, open_server(db, settings) as root:
        yield root
