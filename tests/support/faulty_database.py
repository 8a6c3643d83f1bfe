"""A mirror under way whose database is about to go wrong, and what must be true of it after."""

import os
import subprocess
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.bookkeeping.models import OUTCOMES
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.commands import run, start
from tests.support.databases import run_sql, table_contents
from tests.support.movies import read
from tests.support.other_server import PASSWORD, OtherServer

#: What no output may hold of the password.
SECRETS = (PASSWORD, "p%2540", "p%40@", "'/:$x")
Contents = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Mirror:
    """One database of its own on a server that may be spoilt."""

    server: OtherServer
    sandbox: Sandbox
    #: As the user who owns the database and is nobody special.
    url: URL
    #: What an undisturbed run makes of the same source.
    calm: Contents
    processes: list[Any] = field(default_factory=list)

    def start(self, *arguments: str, command: str = "fetch_yts_data.py") -> Any:
        """Start the real command and return once it has fetched the details of some movies."""
        process = start(command, *self._typed(*arguments), url=self.url)
        self.processes.append(process)
        wait_until(lambda: self.details_read() >= 10, "the run does not come along")
        return process

    def run(self, *arguments: str) -> Any:
        """Run the real command to its end."""
        return _checked(run("fetch_yts_data.py", *self._typed(*arguments), url=self.url))

    def _typed(self, *arguments: str) -> list[str]:
        defaults = {"--workers": "2", "--threads": "2", "--batch-size": "4", "--rate": "0"}
        told = defaults | dict(zip(arguments[::2], arguments[1::2], strict=True))
        return ["--api-url", self.sandbox.url, *(part for pair in told.items() for part in pair)]

    def kill_all(self) -> None:
        """End what a test that went wrong has left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def finish(self, process: Any, *, within_seconds: float = 60) -> Any:
        """Wait for the end of *process*; nothing of it is left, and no movie is half there."""
        stdout, stderr = process.communicate(timeout=within_seconds)
        wait_until(lambda: not _has_processes(process.pid), "a worker outlives its parent")
        return _checked(subprocess.CompletedProcess("", process.returncode, stdout, stderr))

    def details_read(self) -> int:
        """Return how many details all runs have come to handle."""
        return int(self.ask("SELECT coalesce(sum(details_read), 0) FROM fetch_runs")[0])

    def ask(self, query: str) -> list[Any]:
        """Return what *query* says, asked as superuser."""
        with DatabaseManager(self._as_superuser) as db:
            return read(db, query)

    def order(self, *statements: str) -> None:
        """Run *statements* as superuser."""
        run_sql(self._as_superuser, *statements)

    def insist(self, statement: str) -> None:
        """Run *statement* as superuser, again where it loses a deadlock with the fetch."""
        while True:
            with suppress(OperationalError):
                return self.order(statement)

    @property
    def _as_superuser(self) -> URL:
        return self.server.url.set(database=self.url.database)

    def drop(self, *statements: str) -> None:
        """Give up the database, and run *statements* on its server."""
        run_sql(self.server.url, f"DROP DATABASE {self.url.database} (FORCE)", *statements)

    def cut(self, application: str) -> None:
        """End all connections of *application*, which may be a pattern."""
        self.order(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE application_name LIKE '{application}' AND datname = '{self.url.database}'"
        )

    @contextmanager
    def locked_by_another(self) -> Iterator[None]:
        """Hold the fetch lock, as a second run would."""
        with DatabaseManager(self._as_superuser) as db, hold_fetch_lock(db.engine):
            yield

    def contents(self) -> Contents:
        """Return what the tables say, if the books are right and no movie is half there."""
        with DatabaseManager(self._as_superuser) as db:
            found = table_contents(db)
        for planned, *outcomes in self.ask(
            f"SELECT planned, {', '.join(OUTCOMES)} FROM fetch_runs"
        ):
            assert planned == sum(outcomes)
        assert self.ask("SELECT * FROM fetch_failures") == [], "a movie is blamed"
        _check_no_half_movie(found, self.calm)
        return found

    def check_whole(self) -> None:
        """Compare with an undisturbed mirror."""
        found = self.contents()
        for table, rows in self.calm.items():
            assert found[table] == rows, table

    def check_repaired(self) -> None:
        """Run again, now that all is well."""
        self.contents()
        again = self.run("--workers", "1", "--threads", "20")
        assert again.returncode == 0, again.stderr
        self.check_whole()


def _checked(done: Any) -> Any:
    assert "Traceback" not in done.stderr, done.stderr
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    return done


def _check_no_half_movie(found: Contents, calm: Contents) -> None:
    details_lack = {row[0]: row[-1] for row in found["movies"]}
    for table in ("genres", "torrents", "roles"):
        wanted, there = _by_movie(calm[table]), _by_movie(found[table])
        for movie_id, lacks_details in details_lack.items():
            # The list says all but who plays.
            rows = [] if table == "roles" and lacks_details else wanted[movie_id]
            assert there[movie_id] == rows, f"{table} of movie {movie_id}"


def _by_movie(rows: list[tuple[Any, ...]]) -> dict[int, list[tuple[Any, ...]]]:
    grouped = defaultdict(list)
    for row in rows:
        grouped[row[0]].append(row)
    return grouped


def _has_processes(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def wait_until(is_so: Callable[[], bool], otherwise: str) -> None:
    """Ask now and then, for 30 seconds at the most."""
    deadline = time.monotonic() + 30
    while not is_so():
        assert time.monotonic() < deadline, otherwise
        time.sleep(0.1)
