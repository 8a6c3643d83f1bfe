"""
No password is ever shown or stored: in no output, table, process title or traceback.

Each secret of these tests contains marks such as `zq1z`, so that its pieces are found as well.
"""

import os
import re
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.defects import break_function, plant_defect
from tests.support.processes.commands import call, run, start
from tests.support.runs import counted, read_sql
from tests.support.servers.other_server import OtherServer, open_other_server
from tests.support.servers.shared_server import shared_folder
from tests.support.waiting import wait_until

FETCH, MONITOR, CHECK = "fetch_yts_data.py", "monitor_progress.py", "test_db_connection.py"
MARK = re.compile(r"zq\dz")
#: All characters that have a meaning in URLs, in SQL, to the shell or to Python.
PASSWORD = "p%w@zq1z:/'\"#zq2z?& üzq3z"


def encoded(password: str, address: str) -> str:
    """Return the URL of a database, with *password* encoded as the documentation says."""
    return f"postgresql://keeper:{quote(password, safe='')}@{address}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OtherServer]:
    """Run a server that asks for the password, by SCRAM."""
    with open_other_server(shared_folder(tmp_path_factory)) as running:
        quoted = PASSWORD.replace("'", "''").replace(":", r"\:")
        run_sql(running.url, f"CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '{quoted}'")
        yield running


@pytest.fixture(scope="module")
def address(server: OtherServer) -> str:
    """Return host, port and name of a database of that server."""
    server.make_database("guarded")
    return f"127.0.0.1:{server.url.port}/guarded"


def with_userinfo(url: str) -> str:
    """Return *url* with a user and a password, as of a private API."""
    return url.replace("://", "://zq4z:zq5z@")


def marks_in(*texts: object) -> list[str]:
    """Return every piece of a secret, with the text around it."""
    return [text[max(0, mark.start() - 60) : mark.end() + 60]
            for text in map(str, texts) for mark in MARK.finditer(text)]  # fmt: skip


def stored_in(url: URL) -> list[str]:
    """Return all rows of all tables, and what the server shows of its connections."""
    with DatabaseManager(url) as db:
        tables = read_sql(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row for table in tables for row in read_sql(db, f"SELECT t::text FROM {table} t")]
        sessions = read_sql(db, "SELECT a::text FROM pg_stat_activity a")
    assert "fetch_runs" in tables
    return rows + sessions


def titles_of(group: int) -> list[str]:
    """Return the command lines of a group of processes, except that of its leader."""
    titles = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != group == os.getpgid(int(entry.name)):
                titles.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return titles


@pytest.mark.parametrize("origin", ["variable", pytest.param("option", marks=pytest.mark.long)])
def test_a_run_that_goes_well_or_is_killed_shows_nothing(origin: str, server: OtherServer) -> None:
    """
    Output, rows, sessions and process titles of running, interrupted, killed and finished fetches,
    and the output of the other commands, contain no password.
    """
    url = server.make_database(f"run_by_{origin}")
    text = encoded(PASSWORD, f"127.0.0.1:{url.port}/{url.database}")
    given: dict[str, Any] = {"env": {"DATABASE_URL": text}} if origin == "variable" else {}
    option = () if origin == "variable" else ("--database-url", text)
    seen: list[object] = []
    with open_sandbox(SandboxSettings(movies=100, latency_seconds=0.05)) as sandbox:
        source = ("--api-url", with_userinfo(sandbox.url), "--rate", "0", "--workers", "2", "-v")
        for number in (signal.SIGINT, signal.SIGKILL):
            before = counted(sandbox)["requests"]
            process = start(FETCH, *source, "--update", *option, **given)
            wait_until(
                lambda before=before: counted(sandbox)["requests"] >= before + 10, "requests"
            )
            titles = titles_of(process.pid)
            seen += [titles, stored_in(url)]
            process.send_signal(number)
            seen += process.communicate(timeout=20)
            assert any("multiprocessing" in title for title in titles)
        ended = run(FETCH, *source, "--workers", "1", *option, **given)
    others = [
        run(command, *arguments, *option, **given)
        for command, *arguments in (
            (MONITOR, "--once"), (MONITOR, "--once", "--json"), (MONITOR, "--failures"), (CHECK,),
        )
    ]  # fmt: skip
    done = [ended, *others]

    assert [each.returncode for each in done] == [0] * 5, [each.stderr for each in done]
    seen += [each.stdout + each.stderr for each in done]
    seen += stored_in(url)
    assert marks_in(*seen) == []
    assert "127.0.0.1" in str(seen), "the address is not a secret"


#: Tried with every command; the others only with one, because all read the URL in the same way.
EVERYWHERE = {
    encoded(PASSWORD, "127.0.0.1:1/guarded"),
    f"postgresql://keeper:{PASSWORD}@127.0.0.1:1/guarded",
}


@pytest.mark.parametrize(
    ("text", "exit_code"),
    [
        (encoded(PASSWORD, "127.0.0.1:1/guarded"), 5),
        (encoded(PASSWORD, "no-such-host.invalid/guarded"), 5),
        ("{wrong password}", 5),
        ("{unknown database}", 5),
        (f"postgresql://keeper:{PASSWORD}@127.0.0.1:1/guarded", 2),
        ("postgresql://keeper:zq1z/zq2z@zq3z@127.0.0.1:1/guarded", 2),
        ("postgresql://keeper:a?zq1z=zq2z@zq3z@127.0.0.1:1/guarded", 2),
        ("postgresql://keeper:zq1z%00zq2z@127.0.0.1:1/guarded", 2),
        ("postgresql://keeper:zq1z@127.0.0.1:1/guarded?wat=zq2z", 2),
        ("postgresql://keeper@127.0.0.1:1/guarded?password=zq1z&sslpassword=zq2z", 5),
        ("postgresql://keeper:zq1z", 2),
        ("mysql://keeper:zq1z@127.0.0.1/guarded", 2),
        ("host=127.0.0.1 user=keeper password=zq1z", 2),
    ],
)
def test_a_database_that_cannot_be_used_shows_nothing(
    text: str, exit_code: int, address: str
) -> None:
    """
    Neither an error of libpq nor a repeated mistake of the user contains a piece of the password.
    """
    text = {
        "{wrong password}": encoded(f"zq4z{PASSWORD}", address),
        "{unknown database}": encoded(PASSWORD, f"{address}-elsewhere"),
    }.get(text, text)
    variable = {"DATABASE_URL": text}

    done = [call(FETCH, "--sandbox", "-v", "--database-url", text)]
    if text in EVERYWHERE:
        done += [
            run(FETCH, "--sandbox", "-q", env=variable),
            call(MONITOR, "--once", "--json", **variable),
            call(CHECK, f"--database-url={text}"),
        ]
    outputs = [(each.stdout, each.stderr) for each in done]

    assert {each.returncode for each in done} == {exit_code}, outputs
    assert all(len(stdout) + len(stderr) > 40 for stdout, stderr in outputs)
    assert marks_in(outputs) == []
    assert "Traceback" not in str(outputs)


@pytest.mark.parametrize(
    ("api_url", "exit_code"),
    [
        ("http://zq4z:zq5z@127.0.0.1:9/api/v2", 4),
        ("{root}/other", 2),
        ("{root}/api/v2?key=zq6z", 2),
        ("{root}/api/v2/#zq6z", 2),
        ("http://user:zq4z/zq5z@127.0.0.1:9/", 2),
        ("http://user:12/zq5z@127.0.0.1:9/", 2),
        ("http://user:zq4z#zq5z@127.0.0.1:9/", 2),
        ("ftp://user:zq4z@127.0.0.1:9/", 2),
    ],
)
def test_a_private_api_that_cannot_be_used_shows_nothing(
    api_url: str, exit_code: int, database_url: URL, sandbox: Sandbox
) -> None:
    """
    User, password and keys of a base URL are not in errors, notes or the row of the run.
    """
    text = api_url.replace("{root}", with_userinfo(sandbox.root))

    done = call(FETCH, "-v", "--rate", "0", "--api-url", text, url=database_url)

    assert done.returncode == exit_code, done.stderr
    assert marks_in(done.stdout, done.stderr, *stored_in(database_url)) == []


@pytest.mark.parametrize(
    ("proxy", "exit_codes"),
    [
        ("{root}", {0}),
        ("http://zq7z:zq8z@127.0.0.1:9", {4}),
        ("zq7z:zq8z@127.0.0.1:9", {2, 4}),
        ("http://zq7z:zq8z@[::1", {2, 4}),
        ("socks9://zq7z:zq8z@127.0.0.1:9", {2, 4}),
    ],
)
def test_a_proxy_shows_nothing(
    proxy: str, exit_codes: set[int], database_url: URL, sandbox: Sandbox
) -> None:
    """
    The URL of a proxy, in the environment, can contain a password. Here the sandbox is the proxy.
    """
    proxy = proxy.replace("{root}", sandbox.root.replace("://", "://zq7z:zq8z@"))
    environment = dict.fromkeys(("HTTP_PROXY", "http_proxy", "https_proxy"), proxy)

    done = call(
        FETCH, "-v", "--rate", "0", "--max-pages", "1", "--no-details",
        "--api-url", "http://zq4z:zq5z@far.invalid/api/v2",
        url=database_url, **environment, no_proxy="", NO_PROXY="",
    )  # fmt: skip

    assert done.returncode in exit_codes, done.stderr
    assert "Traceback" not in done.stderr
    assert marks_in(done.stdout, done.stderr, *stored_in(database_url)) == []


def test_a_traceback_shows_nothing(
    address: str, sandbox: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    An error of a library may contain secrets; the message and the traceback that show it do not.
    """
    text, source = encoded(PASSWORD, address), with_userinfo(sandbox.url)
    function = "ingest.worker.worker:Worker._run_pages"
    message = f"{text} | {source} | {PASSWORD} | zq5z"
    options = ("--full", "--rate", "0", "--workers")
    environment = {"DATABASE_URL": text, "YTS_API_URL": source}

    in_worker = run(FETCH, *options, "2", "-v", env={**environment,
                    **plant_defect(tmp_path, function, message)})  # fmt: skip
    break_function(monkeypatch, function, message)
    brief = call(FETCH, *options, "1", **environment)

    for done in (in_worker, brief):
        assert done.returncode == 1, done.stderr
        assert "***" in done.stderr
        assert marks_in(done.stdout, done.stderr) == []
    assert "Traceback" in in_worker.stderr


@pytest.mark.parametrize("command", [FETCH, MONITOR, CHECK])
@pytest.mark.parametrize("before", [(), ("--database-ur",), ("--wat=",), ("--interval",)])
def test_a_url_in_the_wrong_place_is_not_repeated(command: str, before: tuple[str, ...]) -> None:
    """
    Without its option, or after a misspelt one, the URL is an argument that no command expects.
    """
    text = encoded(PASSWORD, "host/name")
    arguments = [f"{before[0]}{text}"] if before == ("--wat=",) else [*before, text]

    done = call(command, *arguments)

    assert done.returncode == 2
    assert marks_in(done.stdout, done.stderr) == []


def test_libpq_may_keep_the_password(address: str, tmp_path: Path) -> None:
    """A file named by PGPASSFILE, in the environment or in .env, can contain the password."""
    file = tmp_path / "pgpass"
    escaped = PASSWORD.replace("\\", r"\\").replace(":", r"\:")
    file.write_text(f"127.0.0.1:*:*:keeper:{escaped}\n")
    file.chmod(0o600)
    (tmp_path / ".env").write_text(f"PGPASSFILE={file}\n")
    url = {"DATABASE_URL": f"postgresql://keeper@{address}"}

    known = call(MONITOR, "--once", **url, PGPASSFILE=str(file))
    from_file = run(MONITOR, "--once", env=url, cwd=tmp_path)
    unknown = call(MONITOR, "--once", **url, PGPASSFILE=os.devnull)

    assert (known.returncode, from_file.returncode, unknown.returncode) == (0, 0, 5)
    assert marks_in(known.stdout, from_file.stdout, unknown.stderr) == []
