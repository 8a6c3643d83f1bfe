"""A database for tests that are many and leave its tables as they are."""

from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.movies import empty


@pytest.fixture(scope="session")
def _shared_db(new_database: Callable[[], URL]) -> Iterator[DatabaseManager]:
    with DatabaseManager(new_database()) as manager:
        yield manager


@pytest.fixture
def emptied_db(_shared_db: DatabaseManager) -> DatabaseManager:
    """Open a migrated database whose rows, not tables, may be changed; faster than a new one."""
    empty(_shared_db)
    return _shared_db
