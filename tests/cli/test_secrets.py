"""
No password is ever shown or stored: in no output, table, process title or traceback.

Each secret of these tests holds marks such as `zq1z`, so that its pieces are found too.
"""

import os
import re
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.commands import run, start
from tests.support.databases import run_sql
from tests.support.defects import plant_defect
from tests.support.other_server import OtherServer, open_other_server
from tests.support.runs import counted, read_sql

FETCH, MONITOR, CHECK = "fetch_yts_data.py", "monitor_progress.py", "test_db_connection.py"
MARK = re.compile(r"zq\dz")
#: All that has a meaning in URLs, in SQL, to the shell and to Python.
PASSWORD = "p%w@zq1z:/'\"#zq2z?& üzq3z"


def encoded(password: str, place: str) -> str:
    """Return the URL of a database as the documentation says to write it."""
    return f"postgresql://keeper:{quote(password, safe='')}@{place}"


@pytest.fixture(scope="module")
def server() -> Iterator[OtherServer]:
    """Run a server that wants the password, by SCRAM."""
    with open_other_server() as running:
        quoted = PASSWORD.replace("'", "''").replace(":", r"\:")
        run_sql(running.url, f"CREATE ROLE keeper LOGIN SUPERUSER PASSWORD '{quoted}'")
        yield running


@pytest.fixture(scope="module")
def place(server: OtherServer) -> str:
    """Return host, port and name of a database of that server."""
    server.make_database("guarded")
    return f"127.0.0.1:{server.url.port}/guarded"


def with_userinfo(url: str) -> str:
    """Return the base URL of a private API."""
    return url.replace("://", "://zq4z:zq5z@")


def marks_in(*texts: object) -> list[str]:
    """Return every piece of a secret, with what stands around it."""
    return [text[max(0, it.start() - 60) : it.end() + 60]
            for text in map(str, texts) for it in MARK.finditer(text)]  # fmt: skip


def stored_in(url: URL) -> list[str]:
    """Return all rows of all tables, and what the server shows of its connections."""
    with DatabaseManager(url) as db:
        tables = read_sql(db, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        rows = [row for table in tables for row in read_sql(db, f"SELECT t::text FROM {table} t")]
        shown = read_sql(db, "SELECT a::text FROM pg_stat_activity a")
    assert "fetch_runs" in tables
    return rows + shown


def titles_of(group: int) -> list[str]:
    """Return the command lines of a group of processes, without that of its leader."""
    titles = []
    for entry in Path("/proc").iterdir():
        try:
            if entry.name.isdigit() and int(entry.name) != group == os.getpgid(int(entry.name)):
                titles.append((entry / "cmdline").read_text())
        except OSError:
            continue
    return titles


@pytest.mark.parametrize("way", ["variable", pytest.param("option", marks=pytest.mark.long)])
def test_a_run_that_goes_well_or_is_killed_shows_nothing(way: str, server: OtherServer) -> None:
    """
    Everything there is to see of running, interrupted, killed and finished fetches, and of the
    other commands beside them, is free of passwords.
    """
    url = server.make_database(f"run_by_{way}")
    text = encoded(PASSWORD, f"127.0.0.1:{url.port}/{url.database}")
    given: dict[str, Any] = {"env": {"DATABASE_URL": text}} if way == "variable" else {}
    option = () if way == "variable" else ("--database-url", text)
    seen: list[object] = []
    with open_sandbox(SandboxSettings(movies=150, latency_seconds=0.05)) as sandbox:
        source = ("--api-url", with_userinfo(sandbox.url), "--rate", "0", "--workers", "2", "-v")
        for number in (signal.SIGINT, signal.SIGKILL):
            before = counted(sandbox)["requests"]
            process = start(FETCH, *source, "--update", *option, **given)
            while counted(sandbox)["requests"] < before + 10:
                assert process.poll() is None, process.communicate()
                time.sleep(0.02)
            titles = titles_of(process.pid)
            seen += [titles, stored_in(url)]
            process.send_signal(number)
            seen += process.communicate(timeout=20)
            assert any("multiprocessing" in title for title in titles)
        ended = run(FETCH, *source, *option, **given)
    others = [
        run(door, *arguments, *option, **given)
        for door, *arguments in (
            (MONITOR, "--once"), (MONITOR, "--once", "--json"), (MONITOR, "--failures"), (CHECK,),
        )
    ]  # fmt: skip
    done = [ended, *others]

    assert [it.returncode for it in done] == [0] * 5, [it.stderr for it in done]
    seen += [it.stdout + it.stderr for it in done]
    seen += stored_in(url)
    assert marks_in(*seen) == []
    assert "127.0.0.1" in str(seen), "what is no secret is shown"


#: Tried with every command; the others only with one, for all read the URL in the same place.
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
def test_a_database_that_cannot_be_had_shows_nothing(text: str, exit_code: int, place: str) -> None:
    """
    Neither what libpq says nor what the user mistyped brings a piece of the password to light.
    """
    text = {
        "{wrong password}": encoded(f"zq4z{PASSWORD}", place),
        "{unknown database}": encoded(PASSWORD, f"{place}-elsewhere"),
    }.get(text, text)
    variable = {"DATABASE_URL": text}

    processes = [start(FETCH, "--sandbox", "-v", "--database-url", text)]
    if text in EVERYWHERE:
        processes += [
            start(FETCH, "--sandbox", "-q", env=variable),
            start(MONITOR, "--once", "--json", env=variable),
            start(CHECK, f"--database-url={text}"),
        ]
    said = [process.communicate(timeout=60) for process in processes]

    assert {process.returncode for process in processes} == {exit_code}, said
    assert all(len(out) + len(err) > 40 for out, err in said)
    assert marks_in(said) == []
    assert "Traceback" not in str(said)


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
def test_a_private_api_that_cannot_be_had_shows_nothing(
    api_url: str, exit_code: int, database_url: URL, sandbox: Sandbox
) -> None:
    """
    User, password and keys of a base URL stay out of errors, notes and the run's row.
    """
    text = api_url.replace("{root}", with_userinfo(sandbox.root))

    done = run(FETCH, "-v", "--rate", "0", "--api-url", text, url=database_url)

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
    Its password is in the environment of many firms; here the sandbox plays the proxy.
    """
    proxy = proxy.replace("{root}", sandbox.root.replace("://", "://zq7z:zq8z@"))
    environment = dict.fromkeys(("HTTP_PROXY", "http_proxy", "https_proxy"), proxy)

    done = run(
        FETCH, "-v", "--rate", "0", "--max-pages", "1", "--no-details", "--workers", "1",
        "--api-url", "http://zq4z:zq5z@far.invalid/api/v2",
        url=database_url, env={**environment, "no_proxy": "", "NO_PROXY": ""},
    )  # fmt: skip

    assert done.returncode in exit_codes, done.stderr
    assert "Traceback" not in done.stderr
    assert marks_in(done.stdout, done.stderr, *stored_in(database_url)) == []


def test_a_traceback_shows_nothing(place: str, sandbox: Sandbox, tmp_path: Path) -> None:
    """
    What a library puts into its errors is not in our hands, but what we print of it is.
    """
    text, source = encoded(PASSWORD, place), with_userinfo(sandbox.url)
    message = f"{text} | {source} | {PASSWORD} | zq5z"
    defect = plant_defect(tmp_path, "ingest.worker.worker:Worker._run_page", message)
    environment = {**defect, "DATABASE_URL": text, "YTS_API_URL": source}

    for options in ((), ("-v",)):
        done = run(FETCH, "--full", "--rate", "0", "--workers", "2", *options, env=environment)

        assert done.returncode == 1, done.stderr
        assert "***" in done.stderr
        assert marks_in(done.stdout, done.stderr) == []


@pytest.mark.parametrize("door", [FETCH, MONITOR, CHECK])
@pytest.mark.parametrize("before", [(), ("--database-ur",), ("--wat=",), ("--interval",)])
def test_what_was_typed_in_the_wrong_place_is_not_repeated(
    door: str, before: tuple[str, ...]
) -> None:
    """
    A forgotten or misspelt option makes the URL an argument that nobody expects.
    """
    text = encoded(PASSWORD, "host/name")
    arguments = [f"{before[0]}{text}"] if before == ("--wat=",) else [*before, text]

    done = run(door, *arguments)

    assert done.returncode == 2
    assert marks_in(done.stdout, done.stderr) == []


def test_libpq_may_keep_the_password(place: str, tmp_path: Path) -> None:
    """In its own file, which every PostgreSQL program knows; and in .env, where we look first."""
    file = tmp_path / "pgpass"
    escaped = PASSWORD.replace("\\", r"\\").replace(":", r"\:")
    file.write_text(f"127.0.0.1:*:*:keeper:{escaped}\n")
    file.chmod(0o600)
    (tmp_path / ".env").write_text(f"PGPASSFILE={file}\n")
    url = {"DATABASE_URL": f"postgresql://keeper@{place}"}

    known = run(MONITOR, "--once", env={**url, "PGPASSFILE": str(file)})
    from_file = run(MONITOR, "--once", env=url, cwd=tmp_path)
    unknown = run(MONITOR, "--once", env={**url, "PGPASSFILE": os.devnull})

    assert (known.returncode, from_file.returncode, unknown.returncode) == (0, 0, 5)
    assert marks_in(known.stdout, from_file.stdout, unknown.stderr) == []
