"""`User`, `find_postmasters`, `acting_as`: processes and users around an embedded server."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest
from sqlalchemy import URL, create_engine, make_url, text
from sqlalchemy.pool import NullPool

from database.embedded.file_locks import open_lock, try_lock
from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python
from tests.support.waiting import wait_until

USER_PROGRAM = Path(__file__).with_name("embedded_user.py")
TIMEOUT_SECONDS = 60
#: With it, the path of a socket in a home is longer than an address can be.
LONG_NAME = "long" * 30

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")


def own_environment() -> dict[str, str]:
    """Return the environment for processes that a test starts."""
    return {**os.environ, "PYTHONPATH": str(REPO)}


def find_postmasters(home: Path) -> list[psutil.Process]:
    """Return all running servers of *home*. A zombie has no command line any more."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error):
            if str(home / "data") in process.cmdline():
                found.append(process)
    return found


def find_postmaster(home: Path) -> psutil.Process:
    """Return the only running server of *home*."""
    (postmaster,) = find_postmasters(home)
    return postmaster


def has_ended(process: psutil.Process) -> bool:
    """Return whether *process* does not run any more; it may still be a zombie."""
    try:
        return process.status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def is_all_gone(home: Path) -> bool:
    """Return whether no process of PostgreSQL is left in *home*: all of them hold its lock."""
    if not home.exists():
        return True
    with open_lock(home / "server.lock") as server_lock:
        return try_lock(server_lock) and not find_postmasters(home)


def query(url: URL, statement: str, **parameters: Any) -> list[Any]:
    """Run *statement* in a connection of its own; return the first column of its rows."""
    engine = create_engine(url, poolclass=NullPool)
    with engine.begin() as connection:
        result = connection.execute(text(statement), parameters)
        return list(result.scalars()) if result.returns_rows else []


def copy_data(source: Path, target: Path) -> None:
    """Copy a directory with owners, modes and links."""
    target.parent.mkdir(parents=True, exist_ok=True)
    subprocess.run(["cp", "-a", source, target], check=True)


def read_modes(*paths: Path) -> dict[Path, tuple[int, int, int]]:
    """Return the mode and the owners of each directory above *paths*."""
    parents = {parent for path in paths for parent in path.parents}
    statuses = {parent: parent.stat() for parent in parents}
    return {parent: (s.st_mode, s.st_uid, s.st_gid) for parent, s in statuses.items()}


class User:
    """A process, in a session of its own, that has *home* open."""

    def __init__(self, home: Path, python: str | None = None, **identity: Any) -> None:
        """Start it by *python* and as the user of *identity*; by default as this process."""
        stdin, self._stdin = os.pipe()
        try:
            if python is None:
                self.process = start_python(
                    [str(USER_PROGRAM), str(home)],
                    env=own_environment(), cwd=Path("/"), stdin=stdin, start_new_session=True,
                )  # fmt: skip
            else:
                packages = Path(psycopg2.__file__).parents[1]
                path = os.pathsep.join([str(REPO), str(packages)])
                self.process = subprocess.Popen(
                    [python, USER_PROGRAM, home],
                    env={**own_environment(), "PYTHONPATH": path, "PYTHONDONTWRITEBYTECODE": "1"},
                    cwd="/", stdin=stdin, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                    text=True, start_new_session=True, **identity,
                )  # fmt: skip
        finally:
            os.close(stdin)

    def read_url(self) -> URL:
        """Wait until the user has the server, and return its URL."""
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, "the user could not open the server"
        return make_url(line.strip())

    def leave(self) -> int:
        """Let the user close the server, and return the exit code."""
        self._end_input()
        self.process.communicate(timeout=TIMEOUT_SECONDS)
        exit_code = self.process.returncode
        assert exit_code is not None
        return exit_code

    def kill(self) -> None:
        """Send SIGKILL, and wait for the end."""
        self.process.kill()
        self._end_input()
        self.process.communicate()

    def stop(self) -> None:
        """Send SIGSTOP, and return when every thread of the process has stopped."""
        self.process.send_signal(signal.SIGSTOP)
        threads = Path(f"/proc/{self.process.pid}/task")

        def is_stopped() -> bool:
            states = [
                path.read_text().rpartition(")")[2].split()[0] for path in threads.glob("*/stat")
            ]
            return set(states) == {"T"}

        wait_until(is_stopped, "the process is not stopped")

    def _end_input(self) -> None:
        if self._stdin is not None:
            os.close(self._stdin)
            self._stdin = None


def start_script(script: str, *arguments: Path, from_scratch: bool = False) -> Any:
    """Start *script* in a process of its own. Its warnings are errors."""
    program = f"import warnings\nwarnings.simplefilter('error')\n{textwrap.dedent(script)}"
    command = ["-c", program, *map(str, arguments)]
    return start_python(command, env=own_environment(), cwd=REPO, from_scratch=from_scratch)


def run_script(script: str, *arguments: Path, from_scratch: bool = False) -> str:
    """Run *script* in a process of its own, and return what it printed."""
    process = start_script(script, *arguments, from_scratch=from_scratch)
    stdout, stderr = process.communicate(timeout=TIMEOUT_SECONDS)
    assert process.returncode == 0, stderr
    return stdout.strip()


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


def require_user(name: str) -> None:
    """Skip the test where the system has no user *name*."""
    try:
        pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"this system has no user {name}")


def find_common_python() -> str:
    """Return a Python of our version that every user can execute."""
    name = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = shutil.which(name, path="/usr/local/bin:/usr/bin")
    if python is None:
        pytest.skip(f"no {name} that every user can execute")
    return python


def link_or_copy(source: str, target: str) -> None:
    """Link a file, or copy it to another file system."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy2(source, target)
