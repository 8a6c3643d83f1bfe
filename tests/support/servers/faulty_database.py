"""`Mirror`: a fetch whose database a test disturbs, and checks of the tables afterwards."""

import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

import psycopg2
from sqlalchemy import URL
from sqlalchemy.exc import OperationalError

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.bookkeeping.models import OUTCOMES
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql, table_contents
from tests.support.processes.commands import run, start
from tests.support.servers.other_server import PASSWORD, OtherServer
from tests.support.waiting import TIMEOUT_SECONDS, wait_until

#: Parts and forms of the password, which no output may contain.
SECRETS = (PASSWORD, "p%2540", "p%40@", "'/:$x")
#: Look for the database more often than usual while it is away.
OFTEN = {"database.connection.repeat.LONGEST_PAUSE_SECONDS": 0.2}
Contents = dict[str, list[tuple[Any, ...]]]


@dataclass(frozen=True, slots=True)
class Mirror:
    """A database for one test, on a server that the test may disturb."""

    server: OtherServer
    sandbox: Sandbox
    #: With the user that owns the database and has no other privileges.
    url: URL
    #: The tables after an undisturbed run against the same source.
    calm: Contents
    processes: list[Any] = field(default_factory=list)

    def start(
        self,
        *arguments: str,
        command: str = "fetch_yts_data.py",
        patches: Mapping[str, object] = MappingProxyType({}),
    ) -> Any:
        """Start the real command and return once it has fetched the details of some movies."""
        patches = OFTEN | dict(patches)
        process = start(command, *self._arguments(*arguments), url=self.url, patches=patches)
        self.processes.append(process)
        wait_until(lambda: self.details_read() >= 10, "the run makes no progress")
        return process

    def run(self, *arguments: str) -> Any:
        """Run the real command to its end."""
        return _checked(run("fetch_yts_data.py", *self._arguments(*arguments), url=self.url))

    def _arguments(self, *arguments: str) -> list[str]:
        defaults = {"--workers": "2", "--threads": "2", "--batch-size": "4", "--rate": "0"}
        options = defaults | dict(zip(arguments[::2], arguments[1::2], strict=True))
        pairs = {"--api-url": self.sandbox.url, **options}.items()
        return [part for pair in pairs for part in pair]

    def kill_all(self) -> None:
        """Kill the processes that a failed test has left."""
        for process in self.processes:
            if process.poll() is None:
                process.kill()
                process.communicate()

    def finish(self, process: Any, *, within_seconds: float = 60) -> Any:
        """Wait for the end of *process*, and check that none of its child processes is left."""
        stdout, stderr = process.communicate(timeout=within_seconds)
        wait_until(lambda: not _has_processes(process.pid), "a worker outlives its parent")
        return _checked(subprocess.CompletedProcess("", process.returncode, stdout, stderr))

    def details_read(self) -> int:
        """Return the number of details that all runs have handled."""
        return int(self.ask("SELECT coalesce(sum(details_read), 0) FROM fetch_runs")[0])

    def ask(self, query: str) -> list[Any]:
        """Return the rows of *query* as superuser: tuples, or values if it has one column."""
        url = self._as_superuser
        # Waits call this often, and a connection alone costs much less than an engine.
        with closing(
            psycopg2.connect(
                host=url.host, port=url.port, user=url.username, password=url.password,
                dbname=url.database,
            )
        ) as connection, connection.cursor() as cursor:  # fmt: skip
            cursor.execute(query)
            return [row[0] if len(row) == 1 else row for row in cursor.fetchall()]

    def order(self, *statements: str) -> None:
        """Run *statements* as superuser."""
        run_sql(self._as_superuser, *statements)

    def insist(self, statement: str) -> None:
        """Run *statement* as superuser, and again if it loses a deadlock with the fetch."""
        while True:
            with suppress(OperationalError):
                return self.order(statement)

    @property
    def _as_superuser(self) -> URL:
        return self.server.url.set(database=self.url.database)

    def drop(self, *statements: str) -> None:
        """Drop the database, and run *statements* on its server."""
        run_sql(self.server.url, f"DROP DATABASE {self.url.database} (FORCE)", *statements)

    def cut(self, application: str) -> None:
        """Terminate all connections whose application name is like *application*."""
        self.order(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
            f"WHERE application_name LIKE '{application}' AND datname = '{self.url.database}'"
        )

    @contextmanager
    def locked_by_another(self) -> Iterator[None]:
        """Hold the fetch lock, as another run does, once its holder has lost it."""
        with (
            DatabaseManager(self._as_superuser) as db,
            # A connection that was cut holds its lock for another moment.
            hold_fetch_lock(db.engine, wait_seconds=TIMEOUT_SECONDS),
        ):
            yield

    def contents(self) -> Contents:
        """Return the tables, after checking that the counts add up and no movie is half stored."""
        with DatabaseManager(self._as_superuser) as db:
            contents = table_contents(db)
        for planned, *outcomes in self.ask(
            f"SELECT planned, {', '.join(OUTCOMES)} FROM fetch_runs"
        ):
            assert planned == sum(outcomes)
        assert self.ask("SELECT * FROM fetch_failures") == [], "a failure is recorded for a movie"
        _check_no_half_movie(contents, self.calm)
        return contents

    def check_whole(self) -> None:
        """Check that the tables equal those after an undisturbed run."""
        contents = self.contents()
        for table, rows in self.calm.items():
            assert contents[table] == rows, table

    def check_repaired(self) -> None:
        """Check the tables, and that another run, now undisturbed, completes them."""
        self.contents()
        again = self.run("--workers", "1", "--threads", "20")
        assert again.returncode == 0, again.stderr
        self.check_whole()


def _checked(done: Any) -> Any:
    assert "Traceback" not in done.stderr, done.stderr
    assert not [secret for secret in SECRETS if secret in done.stdout + done.stderr]
    return done


def _check_no_half_movie(contents: Contents, calm: Contents) -> None:
    lacks_details = {row[0]: row[-1] for row in contents["movies"]}
    for table in ("genres", "torrents", "roles"):
        expected, actual = _by_movie(calm[table]), _by_movie(contents[table])
        for movie_id, is_listed_only in lacks_details.items():
            # The list gives everything except the cast.
            rows = [] if table == "roles" and is_listed_only else expected[movie_id]
            assert actual[movie_id] == rows, f"{table} of movie {movie_id}"


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
