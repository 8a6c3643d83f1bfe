"""`open_stage`: a PostgreSQL, a sandbox process and real commands for a proof; `compare` tables."""

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Iterator
from hashlib import blake2b
from pathlib import Path
from typing import Any

import click
import requests

from database.db import DatabaseManager
from database.embedded.server import open_embedded
from tests.support.databases import run_sql, table_contents
from tests.support.paths import REPO
from tests.support.processes.commands import children_of, environment
from yts.client import YtsClient
from yts.settings import ClientSettings

#: A command that runs longer is taken for one that never ends.
SECONDS_TO_END = 300


def say(message: str) -> None:
    """Print a line with the time of day, and flush stdout."""
    click.echo(f"{time.strftime('%H:%M:%S')}  {message}")
    sys.stdout.flush()


class SandboxProcess:
    """The sandbox as a process, which can be killed to simulate an outage."""

    def __init__(self, movies: int, *options: str) -> None:
        """Choose a port, which stays the same after a restart."""
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port: int = free.getsockname()[1]
        self.movies = movies
        self._options = options
        self.process: Any = None
        self.start()

    @property
    def url(self) -> str:
        """Return the base URL of the API."""
        return f"http://127.0.0.1:{self.port}/api/v2"

    def start(self) -> None:
        """Serve the current number of movies."""
        options = ("--port", str(self.port), "--movies", str(self.movies), *self._options)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "sandbox", *options],
            cwd=REPO,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        self.process.stdout.readline()

    def kill(self) -> None:
        """Kill the process."""
        self.process.kill()
        self.process.communicate()

    def add(self, count: int) -> None:
        """Add newer movies; they stay after a restart."""
        self.request("POST", f"add?count={count}")
        self.movies += count

    def request(self, method: str, command: str, **body: Any) -> Any:
        """Send a request to `/sandbox/`; return its JSON."""
        url = f"http://127.0.0.1:{self.port}/sandbox/{command}"
        response = requests.request(method, url, timeout=30, **body)
        response.raise_for_status()
        return response.json()


class Commands:
    """Runs the real commands on the database of a home and on the API at a URL."""

    #: Exit codes with which a fetch may end.
    ends = frozenset({0, 3, 4, 5, 11})

    def __init__(self, home: Path, api_url: str) -> None:
        """Start nothing yet."""
        self.home, self.api_url = home, api_url
        self.exit_codes: Counter[int] = Counter()
        #: Errors of commands that ended with other exit codes or a traceback.
        self.odd: list[str] = []
        self._groups: list[int] = []

    def start_fetch(self, *options: str, url: Any = None) -> Any:
        """Start the command on the embedded server of the home, or on the database at *url*."""
        values = {"YTS_HOME": str(self.home)}
        if url is not None:
            values["DATABASE_URL"] = url.render_as_string(hide_password=False)
        process = subprocess.Popen(
            [sys.executable, "fetch_yts_data.py", "--api-url", self.api_url, *options],
            cwd=REPO,
            env=environment(**values),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=(self.home.parent / "stderr").open("w"),
            start_new_session=True,
        )
        self._groups.append(process.pid)
        return process

    def take_exit(self, process: Any) -> int:
        """Wait for the end of a command, and count its exit code."""
        code = process.wait(SECONDS_TO_END)
        self.exit_codes[code] += 1
        stderr = (self.home.parent / "stderr").read_text()
        # A worker that is just starting prints a traceback if its main process was killed.
        is_odd = "Traceback" in stderr or code not in self.ends
        if is_odd and code != -signal.SIGKILL:
            self.odd.append(f"exit code {code}: {stderr[-2000:]}")
        return code

    def run_fetch(self, *options: str, url: Any = None) -> int:
        """Run the command to its end, undisturbed."""
        return self.take_exit(self.start_fetch(*options, url=url))

    @contextlib.contextmanager
    def open_database(self) -> Iterator[DatabaseManager]:
        """Open the mirror; start its server if it does not run."""
        with open_embedded(self.home) as server, DatabaseManager(server.url) as db:
            yield db

    def make_all_due(self, db: DatabaseManager) -> int:
        """End the pauses until the next attempts; return the number of failures."""
        run_sql(db.url, "UPDATE fetch_failures SET next_attempt_at = now()")
        return db.get_stats()["total_failures"]

    def processes_left(self) -> list[int]:
        """Return processes that should have ended: groups of commands, and those of the server."""
        deadline = time.monotonic() + 15
        while (processes := self._alive()) and time.monotonic() < deadline:
            time.sleep(0.2)
        return processes

    def _alive(self) -> list[int]:
        return [group for group in self._groups if is_alive(group)] + children_of(
            self.home / "data"
        )


class Stage(Commands):
    """Commands on a sandbox."""

    def __init__(self, home: Path, sandbox: SandboxProcess) -> None:
        """Start nothing yet."""
        super().__init__(home, sandbox.url)
        self.sandbox = sandbox


def is_alive(group: int) -> bool:
    """Return whether a process group has any process."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def make_home() -> Iterator[Path]:
    """Yield a home for an embedded server in a new folder, and remove the folder at the end."""
    folder = Path(tempfile.mkdtemp(prefix="yts-proof-"))
    folder.chmod(0o711)
    try:
        yield folder / "home"
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def open_stage(movies: int, *sandbox_options: str) -> Iterator[Stage]:
    """Yield a stage; remove it at the end."""
    with make_home() as home:
        sandbox = SandboxProcess(movies, *sandbox_options)
        try:
            yield Stage(home, sandbox)
        finally:
            sandbox.kill()


def compare(
    stage: Commands, db: DatabaseManager, *options: str, without: Collection[int] = ()
) -> list[str]:
    """
    Mirror the same source undisturbed into another database; return the differences.

    Movies with the YTS ids *without* are not compared, and the missing ids are not either: a gone
    movie is stored here, and missing in a mirror made from scratch.
    """
    run_sql(db.url, "DROP DATABASE IF EXISTS calm", "CREATE DATABASE calm")
    calm_url = db.url.set(database="calm")
    code = stage.run_fetch(*options, url=calm_url)
    if code != 0:
        return [f"the undisturbed run ended with exit code {code}"]
    with DatabaseManager(calm_url) as calm:
        ours, theirs = table_contents(db), table_contents(calm)
    if without:
        # Each row begins with the id of its movie, except those of people.
        for name in ours.keys() - {"casts"}:
            ours[name] = [row for row in ours[name] if row[0] not in without]
        theirs["missing"] = ours["missing"]
    faults = [
        f"{name}: {len(ours[name])} rows, undisturbed {len(theirs[name])}; for example "
        f"{first_difference(ours[name], theirs[name])}"
        for name in ours
        if hashed(ours[name]) != hashed(theirs[name])
    ]
    if not faults:
        say(f"   equal: {', '.join(f'{len(rows):,} {name}' for name, rows in ours.items())}; "
            f"hash {hashed(list(ours.items()))}")  # fmt: skip
    return faults + unbalanced_runs(db)


def first_difference(ours: list[tuple[Any, ...]], theirs: list[tuple[Any, ...]]) -> str:
    """Describe the different values of the first row that differs, or the missing rows."""
    for our, their in zip(ours, theirs, strict=False):
        if our[0] != their[0]:
            break
        if our != their:
            pairs = [(a, b) for a, b in zip(our, their, strict=True) if a != b]
            return f"{our[0]}: {', '.join(f'{a!r} for {b!r}' for a, b in pairs)}"
    return f"only on one side: {sorted({row[0] for row in ours} ^ {row[0] for row in theirs})[:9]}"


def hashed(rows: Any) -> str:
    """Return the content hash of rows."""
    return blake2b(repr(rows).encode(), digest_size=8).hexdigest()


def unbalanced_runs(db: DatabaseManager) -> list[str]:
    """Return the runs that are open, or whose outcomes do not add up to the planned number."""
    query = (
        "SELECT id, phase, planned FROM fetch_runs WHERE finished_at IS NULL OR planned <> "
        "saved + updated + unchanged + skipped + missing + failed"
    )
    with db.get_session() as session:
        rows = session.connection().exec_driver_sql(query).all()
    return [
        f"run {row.id} ({row.phase}): open, or {row.planned} planned is not the sum" for row in rows
    ]


def half_movies(stage: Stage, db: DatabaseManager) -> list[str]:
    """Fetch every movie that has details from the source, and return those that differ."""
    query = (
        "SELECT external_id, (SELECT count(*) FROM torrents t WHERE t.movie_id = m.id), "
        "(SELECT count(*) FROM movie_genres g WHERE g.movie_id = m.id), "
        "(SELECT count(*) FROM movie_casts c WHERE c.movie_id = m.id) "
        "FROM movies m WHERE details_fetched_at IS NOT NULL"
    )
    with db.get_session() as session:
        rows = session.connection().exec_driver_sql(query).all()
    client = YtsClient(ClientSettings(stage.sandbox.url))
    faults = []
    for movie_id, *counts in rows:
        movie = client.fetch_details(movie_id)
        expected = movie and [len(set(movie_part)) for movie_part in (
            [torrent.hash for torrent in movie.torrents or ()],
            movie.genres or (),
            [(member.imdb_code, member.name) for member in movie.cast or ()],
        )]  # fmt: skip
        if expected != counts:
            faults.append(f"movie {movie_id} has {counts} torrents, genres, cast; not {expected}")
    client.close()
    if not faults:
        say(f"   whole: {len(rows):,} movies have the torrents, genres and cast of the source")
    return faults
