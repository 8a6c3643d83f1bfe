"""Each exit code through the real command; and that all pages tell the same of them."""

import re
import signal
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess
from typing import Any

import pytest
from sqlalchemy import URL, make_url

import database_shell
import embed_movies
import fetch_yts_data
import monitor_progress
import query_movies
import test_db_connection
from cli.known_errors import KNOWN_ERRORS
from cli.shell_command import NOT_FOUND
from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from ingest.exit_codes import ExitCode
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.commands import run, start
from tests.support.databases import run_sql
from tests.support.defects import plant_defect
from tests.support.paths import REPO
from tests.support.runs import counted, read_sql, tell

Done = CompletedProcess[str]
FETCH, MONITOR, CHECK = "fetch_yts_data.py", "monitor_progress.py", "test_db_connection.py"
NOBODY = "postgresql://u@127.0.0.1:1/x"


def fetch(url: URL, sandbox: Sandbox, *options: str, **how: Any) -> Done:
    """Fetch the list in one process, without a limit of the rate."""
    source = ("--api-url", sandbox.url, "--rate", "0", "--workers", "1", "--no-details")
    return run(FETCH, *source, *options, url=url, **how)


def ends_well(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Read a page."""
    return fetch(url, sandbox, "--max-pages", "1")


def meets_a_bug(url: URL, sandbox: Sandbox, folder: Path) -> Done:
    """Raise something that nobody has thought of."""
    return fetch(url, sandbox, env=plant_defect(folder, "ingest.fetch.read_list"))


def asks_a_stranger(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Name a base URL that is no API."""
    return fetch(url, sandbox, "--api-url", f"{sandbox.root}/other")


def cannot_save_all(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Let PostgreSQL itself refuse one movie."""
    run_sql(
        url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE check_violation USING MESSAGE = 'seven is refused'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON movies FOR EACH ROW "
        "WHEN (NEW.external_id = 7) EXECUTE FUNCTION refuse()",
    )
    done = fetch(url, sandbox, "-q")
    with DatabaseManager(url) as db:
        stats = db.get_stats()
    assert (stats["total_movies"], stats["total_failures"]) == (199, 1)
    return done


def finds_nobody(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Name a base URL where nobody listens."""
    return fetch(url, sandbox, "--api-url", "http://127.0.0.1:9/api/v2")


def has_no_database(_url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Name a database that is not there."""
    return run(FETCH, "--api-url", sandbox.url, env={"DATABASE_URL": NOBODY})


def misses_many(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Take more than one in a hundred movies off the list."""
    assert fetch(url, sandbox).returncode == 0
    tell(sandbox, f"remove?ids={','.join(map(str, range(10, 40)))}")
    return fetch(url, sandbox, "--full")


def reaches_its_limit(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Allow fewer requests than there are pages."""
    return fetch(url, sandbox, "--max-requests", "2")


def meets_another(url: URL, sandbox: Sandbox, _folder: Path) -> Done:
    """Hold the lock, as another fetch would."""
    with DatabaseManager(url) as other, hold_fetch_lock(other.engine):
        return fetch(url, sandbox)


def is_stopped_by(number: signal.Signals) -> Callable[[URL, Sandbox, Path], Done]:
    """Send a signal as soon as something was fetched."""

    def scenario(url: URL, _sandbox: Sandbox, _folder: Path) -> Done:
        with open_sandbox(SandboxSettings(movies=300, latency_seconds=0.05)) as slow:
            arguments = ("--api-url", slow.url, "--rate", "0", "--workers", "1")
            process = start(FETCH, *arguments, url=url)
            while counted(slow)["requests"] < 20:
                assert process.poll() is None
                time.sleep(0.02)
            began = time.monotonic()
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=20)
            assert time.monotonic() - began < 10
        return Done(process.args, process.returncode, stdout, stderr)

    return scenario


Scenario = Callable[[URL, Sandbox, Path], Done]
#: Of a fetch, by exit code: how it comes to it, and words that it says then.
FETCH_CODES: dict[int, tuple[Scenario, tuple[str, ...]]] = {
    0: (ends_well, ("Done.", "monitor_progress.py --once")),
    1: (meets_a_bug, ("This is a bug (KeyError: 'a defect')", "--no-details -v")),
    2: (asks_a_stranger, ("--api-url",)),
    3: (cannot_save_all, ("movie 7: seven is refused", "--failures", "UTC", "--retry-failed")),
    4: (finds_nobody, ("cannot be reached", "try again later")),
    5: (has_no_database, ("nothing listens there",)),
    6: (misses_many, ("29 of 200", "shows its catalogue", "--once", "--full")),
    7: (reaches_its_limit, ("--max-requests allows", "go on with the list", "--max-requests 2")),
    11: (meets_another, ("since", "monitor_progress.py")),
    130: (is_stopped_by(signal.SIGINT), ("stopped by a signal", "saved", "go on")),
    129: (is_stopped_by(signal.SIGHUP), ("stopped by a signal", "saved", "go on")),
    143: (is_stopped_by(signal.SIGTERM), ("stopped by a signal", "saved", "go on")),
}
#: Runs that never begin have no row.
WITHOUT_A_ROW = {5, 11}


@pytest.mark.parametrize("code", FETCH_CODES)
def test_a_fetch_ends_with(code: int, database_url: URL, sandbox: Sandbox, tmp_path: Path) -> None:
    """
    Exit code, words and the row of the run agree; a traceback is never the answer.
    """
    scenario, words = FETCH_CODES[code]

    done = scenario(database_url, sandbox, tmp_path)

    said = done.stdout + done.stderr
    assert done.returncode == code, said
    assert [word for word in words if word not in said] == [], said
    assert "Traceback" not in said
    with DatabaseManager(database_url) as db:
        codes = read_sql(db, "SELECT exit_code FROM fetch_runs ORDER BY id DESC LIMIT 1")
    assert codes == ([] if code in WITHOUT_A_ROW else [code])


@pytest.mark.parametrize(
    ("code", "door", "arguments", "database"),
    [
        (0, MONITOR, ("--once",), ""),
        (2, MONITOR, ("--once", "--wat"), ""),
        (2, MONITOR, ("--once",), "mysql://u@127.0.0.1/x"),
        (5, MONITOR, ("--once",), NOBODY),
        (0, CHECK, (), ""),
        (2, CHECK, ("--wat",), ""),
        (2, CHECK, (), "mysql://u@127.0.0.1/x"),
        (5, CHECK, (), NOBODY),
    ],
)
def test_the_other_doors_end_with(
    code: int, door: str, arguments: tuple[str, ...], database: str, database_url: URL
) -> None:
    """
    What cannot be understood is 2, what cannot be reached is 5.
    """
    done = run(door, *arguments, url=make_url(database) if database else database_url)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("door", "function"),
    [
        (FETCH, "ingest.worker.worker:Worker._run_movies"),  # in a process of the pool
        (MONITOR, "database.monitoring.status.read_last_run"),
        (CHECK, "database.check.check_versions"),
    ],
)
def test_a_bug_shows_its_traceback_on_request(
    door: str, function: str, database_url: URL, sandbox: Sandbox, tmp_path: Path
) -> None:
    """
    One sentence that says how to see more; with -v the traceback goes before it.
    """
    environment = plant_defect(tmp_path, function)
    source = ("--api-url", sandbox.url, "--rate", "0", "--workers", "2", "--max-pages", "1")
    arguments = {FETCH: source, MONITOR: ("--once",), CHECK: ()}[door]

    brief, full = (
        run(door, *arguments, *more, url=database_url, env=environment) for more in ((), ("-v",))
    )

    assert (brief.returncode, full.returncode) == (1, 1)
    assert brief.stderr.count("\n") == 1
    assert brief.stderr.rstrip().endswith(" -v")
    assert "Traceback" in full.stderr
    assert "in broken\n" in full.stderr
    assert "This is a bug (KeyError: 'a defect')" in full.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        ("ALTER TABLE movies RENAME COLUMN slug TO snail", "test_db_connection.py"),
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "takes no writes"),
    ],
)
def test_a_database_that_fails_on_the_way_is_no_bug(
    spoil: str, words: str, database_url: URL, sandbox: Sandbox
) -> None:
    """
    Lost columns and lost rights are for the user to mend: exit 5, with what to do.
    """
    run_sql(database_url, spoil.format(database_url.database))

    done = fetch(database_url, sandbox)

    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert words in done.stderr


def test_a_reader_that_leaves_is_no_bug(database_url: URL, sandbox: Sandbox) -> None:
    """
    `| head -1` closes the pipe; the run has ended well all the same.
    """
    source = ("--api-url", sandbox.url, "--rate", "0", "--max-pages", "1", "--no-details")
    with start(FETCH, *source, url=database_url) as process:
        process.stdout.close()

        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_every_code_has_a_test_and_stands_on_every_page() -> None:
    """
    The constants, the table of tests, README, `--help` and docs/exit-codes.md name the same codes.
    """
    codes = set(map(int, ExitCode))
    readme, page = (REPO / "README.md").read_text(), (REPO / "docs/exit-codes.md").read_text()

    assert set(FETCH_CODES) == codes - {ExitCode.STALE}
    assert numbers(readme.partition("[Exit codes](docs/exit-codes.md):")[2]) == codes
    assert numbers(fetch_yts_data.EPILOG) == set(FETCH_CODES)
    listed = dict(re.findall(r"^\| (\d+) \| (.*?) \|", page, re.MULTILINE))
    assert set(map(int, listed)) == set(FETCH_CODES)
    for number, meaning in listed.items():
        assert meaning.startswith(ExitCode(int(number)).description)
    for name, epilog in {
        "monitor_progress.py": monitor_progress.EPILOG,
        "test_db_connection.py": test_db_connection.EPILOG,
        "query_movies.py": query_movies.EPILOG,
        "embed_movies.py": embed_movies.EPILOG,
        "database_shell.py": database_shell.EPILOG,
    }.items():
        (row,) = re.findall(rf"^\| `{name}` \|(.*)\|$", page, re.MULTILINE)
        assert numbers(row) == numbers(epilog) <= codes | {NOT_FOUND}


def test_no_error_stands_twice_in_the_table() -> None:
    """Each error class has one exit code and one message, and none hides another one."""
    kinds = [known.kind for known in KNOWN_ERRORS]

    hidden = [
        (earlier, later)
        for position, later in enumerate(kinds)
        for earlier in kinds[:position]
        if issubclass(later, earlier)
    ]
    assert hidden == []


def numbers(text: str) -> set[int]:
    """Return the numbers in the first paragraph of *text*."""
    return {int(number) for number in re.findall(r"\b\d+\b", text.strip().partition("\n\n")[0])}
