"""Each exit code of each command, with its message; all pages list the same codes."""

import re
import signal
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest
from sqlalchemy import URL, make_url

import database_shell
import embed_movies
import fetch_yts_data
import monitor_progress
import query_movies
import test_db_connection
from cli.commands.shell import NOT_FOUND
from cli.known_errors import KNOWN_ERRORS
from cli.query.query_errors import QUERY_ERRORS
from cli.signals import STOP_SECONDS
from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from ingest.exit_codes import ExitCode
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.defects import break_function, plant_defect
from tests.support.paths import REPO
from tests.support.processes.commands import call, run, start
from tests.support.runs import counted, read_sql, tell
from tests.support.waiting import wait_until

Done = CompletedProcess[str]
FETCH, MONITOR, CHECK = "fetch_yts_data.py", "monitor_progress.py", "test_db_connection.py"
UNREACHABLE = "postgresql://u@127.0.0.1:1/x"


def fetch(url: URL, sandbox: Sandbox, *options: str) -> Done:
    """Fetch the list in this process, without a limit of the rate."""
    source = ("--api-url", sandbox.url, "--rate", "0", "--no-details")
    return call(FETCH, *source, *options, url=url)


def ends_well(url: URL, sandbox: Sandbox) -> Done:
    """Read a page, in a process of its own."""
    source = ("--api-url", sandbox.url, "--rate", "0", "--no-details", "--max-pages", "1")
    return run(FETCH, *source, url=url)


def meets_a_bug(url: URL, sandbox: Sandbox) -> Done:
    """Raise an error that the product does not expect."""
    with pytest.MonkeyPatch.context() as patch:
        break_function(patch, "ingest.fetch.read_list")
        return fetch(url, sandbox)


def uses_a_wrong_url(url: URL, sandbox: Sandbox) -> Done:
    """Name a base URL that is not an API."""
    return fetch(url, sandbox, "--api-url", f"{sandbox.root}/other")


def cannot_save_all(url: URL, sandbox: Sandbox) -> Done:
    """Let PostgreSQL refuse one movie."""
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


def finds_no_server(url: URL, sandbox: Sandbox) -> Done:
    """Name a base URL where no server listens."""
    return fetch(url, sandbox, "--api-url", "http://127.0.0.1:9/api/v2")


def has_no_database(_url: URL, sandbox: Sandbox) -> Done:
    """Name a database that does not exist."""
    return run(FETCH, "--api-url", sandbox.url, env={"DATABASE_URL": UNREACHABLE})


def misses_many(url: URL, sandbox: Sandbox) -> Done:
    """Remove more than one in a hundred movies from the list."""
    assert fetch(url, sandbox).returncode == 0
    tell(sandbox, f"remove?ids={','.join(map(str, range(10, 40)))}")
    return fetch(url, sandbox, "--full")


def reaches_its_limit(url: URL, sandbox: Sandbox) -> Done:
    """Allow fewer requests than there are pages."""
    return fetch(url, sandbox, "--max-requests", "2")


def finds_the_lock_taken(url: URL, sandbox: Sandbox) -> Done:
    """Hold the lock, as another fetch would."""
    with DatabaseManager(url) as other, hold_fetch_lock(other.engine):
        return fetch(url, sandbox)


def is_stopped_by(number: signal.Signals) -> Callable[[URL, Sandbox], Done]:
    """Send a signal after some requests."""

    def scenario(url: URL, _sandbox: Sandbox) -> Done:
        with open_sandbox(SandboxSettings(movies=150, latency_seconds=0.05)) as slow:
            arguments = ("--api-url", slow.url, "--rate", "0", "--workers", "1")
            process = start(FETCH, *arguments, url=url)
            wait_until(lambda: counted(slow)["requests"] >= 20, "requests")
            process.send_signal(number)
            stdout, stderr = process.communicate(timeout=STOP_SECONDS + 10)
        return Done(process.args, process.returncode, stdout, stderr)

    return scenario


Scenario = Callable[[URL, Sandbox], Done]
#: The exit codes of a fetch: a scenario that leads to it, and parts of its message.
FETCH_CODES: dict[int, tuple[Scenario, tuple[str, ...]]] = {
    0: (ends_well, ("Done.", "monitor_progress.py --once")),
    1: (meets_a_bug, ("This is a bug (KeyError: 'a defect')", "--no-details -v")),
    2: (uses_a_wrong_url, ("--api-url",)),
    3: (cannot_save_all, ("movie 7: seven is refused", "--failures", "UTC", "--retry-failed")),
    4: (finds_no_server, ("cannot be reached", "try again later")),
    5: (has_no_database, ("nothing listens there",)),
    6: (misses_many, ("29 of 200", "shows its catalogue", "--once", "--full")),
    7: (reaches_its_limit, ("--max-requests allows", "go on with the list", "--max-requests 2")),
    11: (finds_the_lock_taken, ("since", "monitor_progress.py")),
    130: (is_stopped_by(signal.SIGINT), ("stopped by a signal", "saved", "go on")),
    129: (is_stopped_by(signal.SIGHUP), ("stopped by a signal", "saved", "go on")),
    143: (is_stopped_by(signal.SIGTERM), ("stopped by a signal", "saved", "go on")),
}
#: Runs that end with these codes before they begin have no row.
WITHOUT_A_ROW = {5, 11}


@pytest.mark.parametrize("code", FETCH_CODES)
def test_a_fetch_ends_with(code: int, database_url: URL, sandbox: Sandbox) -> None:
    """
    Exit code, message and the row of the run agree, and no traceback is shown.
    """
    scenario, parts = FETCH_CODES[code]

    done = scenario(database_url, sandbox)

    output = done.stdout + done.stderr
    assert done.returncode == code, output
    assert [part for part in parts if part not in output] == [], output
    assert "Traceback" not in output
    with DatabaseManager(database_url) as db:
        codes = read_sql(db, "SELECT exit_code FROM fetch_runs ORDER BY id DESC LIMIT 1")
    assert codes == ([] if code in WITHOUT_A_ROW else [code])


@pytest.mark.parametrize(
    ("code", "command", "arguments", "database"),
    [
        (0, MONITOR, ("--once",), ""),
        (2, MONITOR, ("--once", "--wat"), ""),
        (2, MONITOR, ("--once",), "mysql://u@127.0.0.1/x"),
        (5, MONITOR, ("--once",), UNREACHABLE),
        (0, CHECK, (), ""),
        (2, CHECK, ("--wat",), ""),
        (2, CHECK, (), "mysql://u@127.0.0.1/x"),
        (5, CHECK, (), UNREACHABLE),
    ],
)
def test_the_other_commands_end_with(
    code: int, command: str, arguments: tuple[str, ...], database: str, database_url: URL
) -> None:
    """
    A wrong option or URL is exit code 2, a database that cannot be reached is 5.
    """
    done = call(command, *arguments, url=make_url(database) if database else database_url)

    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stdout + done.stderr


@pytest.mark.parametrize(
    ("command", "function"),
    [
        (FETCH, "ingest.worker.worker:Worker._run_movies"),
        (MONITOR, "database.monitoring.status.read_last_run"),
        (CHECK, "database.monitoring.prepare_and_check.check_versions"),
    ],
)
def test_a_bug_shows_its_traceback_on_request(
    command: str, function: str, database_url: URL, sandbox: Sandbox,
    *, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    """
    A bug is one line that names the command to see more; with -v, the traceback comes first.

    That of a fetch comes from a worker process.
    """
    source = ("--api-url", sandbox.url, "--rate", "0", "--max-pages", "1")
    arguments = {FETCH: source, MONITOR: ("--once",), CHECK: ()}[command]
    environment = plant_defect(tmp_path, function)
    break_function(monkeypatch, function)

    brief = call(command, *arguments, url=database_url)
    if command == FETCH:
        in_workers = (*arguments, "--workers", "2", "-v")
        full = run(command, *in_workers, url=database_url, env=environment)
    else:
        full = call(command, *arguments, "-v", url=database_url)

    assert (brief.returncode, full.returncode) == (1, 1)
    assert brief.stderr.count("\n") == 1
    assert brief.stderr.rstrip().endswith(" -v")
    assert "Traceback" in full.stderr
    assert "in broken\n" in full.stderr
    assert "This is a bug (KeyError: 'a defect')" in full.stderr.splitlines()[-1]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("ALTER TABLE movies RENAME COLUMN slug TO snail", "test_db_connection.py"),
        ("ALTER DATABASE {} SET default_transaction_read_only = on", "takes no writes"),
    ],
)
def test_a_database_that_fails_during_a_run_is_not_a_bug(
    change: str, message: str, database_url: URL, sandbox: Sandbox
) -> None:
    """
    A lost column or a lost right is exit code 5, with a message that says what to do.
    """
    run_sql(database_url, change.format(database_url.database))

    done = fetch(database_url, sandbox)

    assert (done.returncode, done.stderr.count("\n")) == (5, 1), done.stderr
    assert message in done.stderr


def test_a_reader_that_closes_the_pipe_is_not_a_bug(database_url: URL, sandbox: Sandbox) -> None:
    """
    `| head -1` closes the pipe; the run ends well, without a message.
    """
    source = ("--api-url", sandbox.url, "--rate", "0", "--max-pages", "1", "--no-details")
    with start(FETCH, *source, url=database_url) as process:
        process.stdout.close()

        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_every_code_has_a_test_and_is_on_every_page() -> None:
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


def test_no_error_is_twice_in_the_table() -> None:
    """Each error class has one exit code and one message, and none hides another one."""
    kinds = [known.kind for known in (*KNOWN_ERRORS, *QUERY_ERRORS)]

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
