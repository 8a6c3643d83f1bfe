"""What the laws of the embedded server see the world with: users, processes, other people."""

import contextlib
import os
import pwd
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from database.embedded.file_locks import open_lock, try_lock
from tests.support.paths import REPO

ENVIRONMENT = {**os.environ, "PYTHONPATH": str(REPO), "PYTHONDONTWRITEBYTECODE": "1"}
USER_PROGRAM = Path(__file__).with_name("embedded_user.py")
TIMEOUT_SECONDS = 20


def find_postmasters(home: Path) -> list[psutil.Process]:
    """All living servers of *home*; a zombie has no command line any more."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(home / "data") in process.cmdline():
                found.append(process)
    return found


def find_postmaster(home: Path) -> psutil.Process:
    (postmaster,) = find_postmasters(home)
    return postmaster


def wait_until(is_so: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.01)
    return is_so()


def is_all_gone(home: Path) -> bool:
    """True if no PostgreSQL process of any kind is left, as they all hold the lock."""
    if not home.exists():
        return True
    with open_lock(home / "server.lock") as server_lock:
        return not find_postmasters(home) and try_lock(server_lock)


def query(url: URL, statement: str, **parameters: Any) -> list[Any]:
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement), parameters)
        return list(result.scalars()) if result.returns_rows else []


def copy_data(source: Path, target: Path) -> None:
    """Copy a directory with owners, modes and links."""
    subprocess.run(["cp", "-a", source, target], check=True)


def read_modes(*places: Path) -> dict[Path, tuple[int, int, int]]:
    parents = {parent for place in places for parent in place.parents}
    statuses = {parent: parent.stat() for parent in parents}
    return {parent: (s.st_mode, s.st_uid, s.st_gid) for parent, s in statuses.items()}


class User:
    """A process, in a session of its own, that has *home* open."""

    def __init__(self, home: Path, python: str = sys.executable, **identity: Any) -> None:
        packages = Path(psycopg2.__file__).parents[1]
        self.process = subprocess.Popen(
            [python, "-W", "error", USER_PROGRAM, home],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            cwd="/",
            env={**ENVIRONMENT, "PYTHONPATH": os.pathsep.join([str(REPO), str(packages)])},
            text=True,
            start_new_session=True,
            **identity,
        )

    def read_url(self) -> URL:
        """Wait until the user is in."""
        line = self.process.stdout.readline()
        assert line, "the user did not get in"
        return make_url(line.strip())

    def leave(self) -> int:
        self.process.communicate(timeout=TIMEOUT_SECONDS)
        return self.process.returncode

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


def run_script(script: str, *arguments: Path) -> str:
    """Run *script* in a process of its own, and return what it printed."""
    command = [sys.executable, "-W", "error", "-c", textwrap.dedent(script), *arguments]
    finished = subprocess.run(
        command,
        env=ENVIRONMENT,
        capture_output=True,
        check=False,
        text=True,
        timeout=TIMEOUT_SECONDS,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout.strip()


@contextlib.contextmanager
def acting_as(user: str) -> Iterator[None]:
    """Be *user* for the kernel, until the end of the block."""
    account, groups = pwd.getpwnam(user), os.getgroups()
    os.setgroups([])
    os.setegid(account.pw_gid)
    os.seteuid(account.pw_uid)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)
        os.setgroups(groups)
