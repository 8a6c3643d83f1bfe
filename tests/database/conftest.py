"""Fixtures for tests of the database: a shared database, homes of embedded servers, their users."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from tests.support.data.movies import empty
from tests.support.servers import shared_server as servers
from tests.support.servers.embedded_world import User, find_postmasters, is_all_gone
from tests.support.waiting import becomes_true


@pytest.fixture(scope="session")
def _shared_db(new_database: Callable[[], URL]) -> Iterator[DatabaseManager]:
    with DatabaseManager(new_database()) as manager:
        yield manager


@pytest.fixture
def emptied_db(_shared_db: DatabaseManager) -> DatabaseManager:
    """Open a migrated database whose rows, not tables, may be changed; faster than a new one."""
    empty(_shared_db)
    return _shared_db


def _read_children() -> set[psutil.Process]:
    """Return our child processes, without the fork server, which any test may start."""
    children = set()
    for child in psutil.Process().children():
        with suppress(psutil.NoSuchProcess):
            if "tests.support.processes.fork_server" not in child.cmdline():
                children.add(child)
    return children


@pytest.fixture
def homes() -> Iterator[Callable[[Path], Path]]:
    """Note which homes a test uses, and check at its end that no process is left in them."""
    used: list[Path] = []
    children_before = _read_children()

    def use(home: Path) -> Path:
        used.append(home)
        return home

    yield use
    left = [home for home in used if not becomes_true(lambda home=home: is_all_gone(home))]
    for postmaster in [process for home in left for process in find_postmasters(home)]:
        postmaster.kill()
    assert not left, "processes were left behind"
    # The guard of an earlier server may be about to end.
    is_alone = becomes_true(lambda: _read_children() <= children_before)
    assert is_alone, "children were left behind"


@pytest.fixture
def new_home(tmp_path: Path, homes: Callable[[Path], Path]) -> Path:
    """Return where a home can be created; for root, other users cannot enter its parents."""
    return homes(tmp_path / "home")


@pytest.fixture
def filled_home(
    tmp_path: Path, homes: Callable[[Path], Path], copy_home: Callable[[Path], Path]
) -> Path:
    """Return a home with data, which only this test uses."""
    return copy_home(tmp_path / "home")


@pytest.fixture
def copy_home(
    tmp_path_factory: pytest.TempPathFactory, homes: Callable[[Path], Path]
) -> Callable[[Path], Path]:
    """Return a function that creates a home with data, which the test uses."""

    def copy(home: Path) -> Path:
        return homes(servers.copy_home(tmp_path_factory, home))

    return copy


@pytest.fixture(scope="session")
def _used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return servers.copy_home(tmp_path_factory, tmp_path_factory.mktemp("used") / "home")


@pytest.fixture
def home(_used_home: Path, homes: Callable[[Path], Path]) -> Path:
    """Return a home that tests use one after the other; none of them changes its data."""
    return homes(_used_home)


@pytest.fixture
def open_parent() -> Iterator[Path]:
    """Return a directory that every user can enter."""
    with tempfile.TemporaryDirectory(prefix="yts-test-") as parent:
        Path(parent).chmod(0o755)
        yield Path(parent)


@pytest.fixture
def users() -> Iterator[Callable[..., User]]:
    """Return a function that starts users; they are killed at the end of the test."""
    started: list[User] = []

    def start(home: Path, *python: str, **identity: object) -> User:
        started.append(User(home, *python, **identity))
        return started[-1]

    yield start
    for user in started:
        user.kill()
