"""The embedded server: all users of a home share one server, which ends with the last of them."""

import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest
from sqlalchemy import text

from database.db import DatabaseManager
from database.embedded.server import DATABASE_NAME, open_embedded
from database.errors import DatabaseAway
from tests.support.servers.embedded_world import (
    TIMEOUT_SECONDS,
    User,
    find_postmaster,
    find_postmasters,
    has_ended,
    is_all_gone,
    query,
    run_script,
    start_script,
)
from tests.support.waiting import wait_until

Users = Callable[..., User]


def test_starting_is_quick_also_after_a_start_that_was_killed(new_home: Path):
    """
    The first start takes less than 3 s, later ones less than 0.5 s; a busy machine may take ten
    times that. Data that a killed start has left unfinished is deleted.
    """
    (new_home / "init.tmp" / "base").mkdir(parents=True)
    (new_home / "init.tmp" / "PG_VERSION").write_text("1")
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        with open_embedded(new_home) as server:
            seconds.append(time.monotonic() - began)
            assert query(server.url, "select 1") == [1]

    first, later = seconds
    assert first < 10 * 3
    assert later < 10 * 0.5
    assert not (new_home / "init.tmp").exists()


def test_the_database_is_ours_and_can_do_what_we_need(home: Path):
    """
    The database has UTF-8, pgvector, connections for many workers, durable commits and no TCP.
    """
    with open_embedded(home) as server:
        (settings,) = query(
            server.url,
            "select json_object_agg(name, setting) from pg_settings where name in "
            "('server_encoding', 'listen_addresses', 'fsync', 'synchronous_commit')",
        )
        (connections,) = query(server.url, "select current_setting('max_connections')::int")
        query(server.url, "create extension vector; drop extension vector")

    assert server.url.drivername == "postgresql+psycopg2"
    assert server.url.database == DATABASE_NAME
    assert settings == {
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
    }
    assert connections >= 200


def test_the_last_user_stops_the_server(home: Path, users: Users):
    """
    Users open and close the home in any order; all have the same server, and it ends with the last.
    """
    first, second = users(home), users(home)
    first_url, second_url = first.read_url(), second.read_url()
    postmaster = find_postmaster(home)

    assert first_url == second_url
    assert first.leave() == 0
    third = users(home)
    third.read_url()
    assert second.leave() == 0
    assert find_postmaster(home) == postmaster
    assert query(second_url, "select 1") == [1]
    assert third.leave() == 0
    assert is_all_gone(home)


def test_one_process_may_have_several_shares(home: Path):
    """
    Shares are counted, not processes; closing the same share twice counts once.
    """
    first, second = open_embedded(home), open_embedded(home)
    first.close()
    first.close()

    assert query(second.url, "select 1") == [1]
    second.close()
    assert is_all_gone(home)


def test_six_processes_that_start_at_once_get_one_server(new_home: Path, users: Users):
    """
    If there is no data yet, one of them creates it, and all use the same server.
    """
    six = [users(new_home) for _ in range(6)]

    assert len({user.read_url() for user in six}) == 1
    assert len(find_postmasters(new_home)) == 1
    assert [user.leave() for user in six] == [0] * 6
    assert is_all_gone(new_home)


def test_a_server_that_stops_is_started_again_for_a_new_user(home: Path):
    """
    Three processes open and close the home at random times; each time, the server accepts
    connections.
    """
    script = """
        import random, sys, time
        from pathlib import Path
        import psycopg2
        from database.embedded.server import open_embedded
        for _ in range(6):
            with open_embedded(Path(sys.argv[1])) as server:
                psycopg2.connect(
                    host=server.url.query["host"], user="postgres", dbname="yts"
                ).close()
                time.sleep(random.random() / 50)
            time.sleep(random.random() / 50)
    """
    processes = [start_script(script, home) for _ in range(3)]

    outputs = [process.communicate(timeout=TIMEOUT_SECONDS) for process in processes]
    assert [process.returncode for process in processes] == [0] * 3, outputs
    assert is_all_gone(home)


def test_a_program_that_closes_no_share_stops_the_server_at_its_end(home: Path):
    """
    The end of the program closes all its shares.
    """
    script = """
        import sys
        from pathlib import Path
        from database.embedded.server import open_embedded
        shares = [open_embedded(Path(sys.argv[1])) for _ in range(2)]
    """
    run_script(script, home)

    assert is_all_gone(home)


def test_a_forked_child_has_no_share(home: Path):
    """
    The end of a forked child does not stop the server, and a child that lives on does not keep it.
    """
    script = """
        import os, sys, time
        from pathlib import Path
        import psycopg2
        from database.embedded.server import open_embedded
        server = open_embedded(Path(sys.argv[1]))
        if os.fork() == 0:
            sys.exit()
        os.wait()
        psycopg2.connect(host=server.url.query["host"], user="postgres", dbname="yts").close()
        sys.stdout.flush()
        if (child := os.fork()) == 0:
            os.closerange(0, 3)
            time.sleep(60)
            os._exit(0)
        server.close()
        print(child, flush=True)
        os._exit(0)
    """
    child = psutil.Process(int(run_script(script, home)))

    assert child.is_running()
    assert is_all_gone(home)
    child.kill()


def test_a_server_that_was_killed_leaves_no_zombie(home: Path):
    """
    The process that started the server reaps it, even while it holds its share.
    """
    starter = open_embedded(home)
    postmaster = find_postmaster(home)
    postmaster.kill()

    wait_until(lambda: not psutil.pid_exists(postmaster.pid), "the server still runs")
    starter.close()


def test_an_error_after_the_server_has_ended_says_so(home: Path, monkeypatch: pytest.MonkeyPatch):
    """
    The message names the log of the embedded server; it does not tell the user to start a server.
    """
    monkeypatch.setenv("YTS_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with (  # noqa: PT012 -- the test is about the end of the block
        pytest.raises(DatabaseAway, match=r"The embedded PostgreSQL has ended: .*server\.log"),
        DatabaseManager() as db,
    ):
        postmaster = find_postmaster(home)
        postmaster.kill()
        wait_until(lambda: has_ended(postmaster), "the server still runs")
        db.run_transaction(lambda session: session.execute(text("SELECT 1")), patience_seconds=0)
