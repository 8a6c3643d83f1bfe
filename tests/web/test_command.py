"""`serve_movies.py` as a user and as systemd see it."""

import signal
import threading
from pathlib import Path

import pytest
import requests
from sqlalchemy import URL

from cli.commands import serve
from cli.preflight import show_error
from database.errors import DatabaseNotReady
from serve_movies import main
from tests.support.databases import run_sql
from tests.support.processes.commands import call, run, start

SCRIPT = "serve_movies.py"


def root_of(process) -> str:
    """Return the root URL that the command prints when it is ready."""
    for line in process.stderr:
        if "/healthz" in line:
            return line.split()[0].removesuffix("/healthz")
    raise AssertionError("the server did not start")


@pytest.mark.parametrize(
    ("number", "exit_code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_the_server_in_order(mirror_url: URL, number: int, exit_code: int):
    """It prints its addresses when they can be used, and nothing on stdout."""
    process = start(SCRIPT, "--port", "0", url=mirror_url)
    root = root_of(process)
    assert requests.get(f"{root}/readyz", timeout=20).text == "ok\n"

    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=30)

    assert (process.returncode, stdout) == (exit_code, "")
    assert "Traceback" not in stderr


def test_a_port_that_is_taken_is_named(mirror_url: URL):
    """Exit 1, and a message that says which option helps."""
    process = start(SCRIPT, "--port", "0", url=mirror_url)
    port = root_of(process).rpartition(":")[2]

    second = run(SCRIPT, "--port", port, url=mirror_url)
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=30)

    assert second.returncode == 1
    assert port in second.stderr
    assert "--port" in second.stderr
    assert "bug" not in second.stderr


def test_an_empty_database_says_how_to_fill_it(new_database, tmp_path: Path):
    """Exit 5, for an empty database and for an embedded server that was never started."""
    empty = run(SCRIPT, "--port", "0", url=new_database(is_empty=True))
    missing = run(SCRIPT, "--port", "0", env={"YTS_HOME": str(tmp_path / "home")})

    for done in (empty, missing):
        assert (done.returncode, done.stdout) == (5, "")
        assert "fetch_yts_data.py" in done.stderr


def test_a_database_whose_tables_were_dropped_is_not_served(new_database):
    """Exit 5: the revision alone does not prove that there is a table of movies."""
    url = new_database()
    run_sql(url, "DROP TABLE movies CASCADE")

    done = call(SCRIPT, "--port", "0", url=url)

    assert (done.returncode, done.stdout) == (5, "")
    assert "The table movies is missing" in done.stderr


@pytest.mark.parametrize("key", ["", " "])
def test_a_key_that_is_set_must_not_be_empty(key: str):
    """Exit 2: an open server is not what a user expects who has set a key."""
    done = call(SCRIPT, "--port", "0", YTS_API_KEY=key)

    assert (done.returncode, done.stdout) == (2, "")
    assert "YTS_API_KEY is empty" in done.stderr


@pytest.mark.parametrize(
    "name", ["http://movies.example.org", "movies.example.org:80", "*", "*.org", "a.org,b.org", ""]
)
def test_a_host_that_no_request_can_name_is_refused(name: str):
    """Exit 2, with the form that is expected."""
    done = call(SCRIPT, "--allow-host", name)

    assert (done.returncode, done.stdout) == (2, "")
    assert "use for example movies.example.org" in done.stderr


@pytest.mark.parametrize(("option", "value"), [("--host", ""), ("--base-path", "/movies/../x")])
def test_an_address_that_means_another_one_is_refused(option: str, value: str):
    """Exit 2: an empty host would be all addresses, and clients send no path with two dots."""
    done = call(SCRIPT, option, value)

    assert (done.returncode, done.stdout) == (2, "")
    assert f"'{option}': {value!r} is not" in done.stderr


def test_the_memory_for_movies_can_be_chosen():
    """In MB, from none to more than all movies of YTS take."""
    for options, megabytes in (([], 320), (["--cache-mb", "0"], 0), (["--cache-mb", "16"], 16)):
        parsed = main.make_context(SCRIPT, options).params
        assert serve.read_settings(parsed).movie_bytes == megabytes << 20


def test_ctrl_c_during_the_imports_shows_no_traceback(capsys: pytest.CaptureFixture[str]):
    """Other errors that nothing handles are shown as Python shows them."""
    show_error(KeyboardInterrupt, KeyboardInterrupt(), None)
    assert capsys.readouterr().err == ""

    show_error(ValueError, ValueError("wrong"), None)
    assert "ValueError: wrong" in capsys.readouterr().err


def test_the_server_serves_beside_a_fetch(database_url: URL, sandbox):
    """A fetch that runs at the same time is neither stopped nor refused."""
    run("fetch_yts_data.py", "--api-url", sandbox.url, "--max-pages", "1", "--no-details",
        "--rate", "0", "-q", url=database_url)  # fmt: skip
    process = start(SCRIPT, "--port", "0", "-q", url=database_url)
    fetch = run("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", "-q",
                url=database_url)  # fmt: skip
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate(timeout=30)

    assert (fetch.returncode, fetch.stderr) == (0, "")
    assert (process.returncode, stderr) == (0, "")


def test_an_embedded_database_that_ends_is_started_again_while_the_server_runs(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    """What prevents that is said once, however often it is tried."""
    monkeypatch.setattr(serve, "_SECONDS_BETWEEN_LOOKS", 0.001)
    outcomes = [DatabaseNotReady("The disk is full."), DatabaseNotReady("The disk is full."), True]
    started = threading.Event()

    class Database:
        url = URL.create("postgresql", query={"host": "/run/home/socket", "port": "5432"})

        def start_if_ended(self) -> bool:
            outcome = outcomes.pop(0) if outcomes else False
            if isinstance(outcome, DatabaseNotReady):
                raise outcome
            if not outcomes:
                started.set()
            return outcome

    monkeypatch.setattr(serve, "is_embedded", lambda _url: True)
    with serve._keep_running(Database()):
        assert started.wait(20)

    assert capsys.readouterr().err.splitlines() == [
        "The disk is full.",
        "The embedded PostgreSQL had ended, and was started again.",
    ]
