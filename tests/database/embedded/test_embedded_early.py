"""`start_early`: the server starts while a command imports its modules."""

from pathlib import Path

import pytest

from database.embedded.server import open_embedded
from tests.support.servers.embedded_world import (
    TIMEOUT_SECONDS,
    find_postmasters,
    is_all_gone,
    run_script,
    start_script,
)

START = """
    import os, sys, threading
    from pathlib import Path
    from database.embedded.server import open_embedded, start_early
    home = Path(sys.argv[1])
    os.environ["YTS_HOME"] = str(home)
    start_early()
"""
SAY_WHETHER_STARTED = """
    import fcntl
    with (home / "server.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("started")
"""


def test_open_embedded_takes_over_what_was_started_early(home: Path):
    """The server runs before it is opened, without a thread, and closing the share stops it."""
    output = run_script(
        START
        + SAY_WHETHER_STARTED
        + """
    print(threading.active_count())
    import psycopg2
    server = open_embedded()
    psycopg2.connect(host=server.url.query["host"], user="postgres", dbname="yts").close()
    server.close()
    """
        + SAY_WHETHER_STARTED,
        home,
    )
    assert output.split() == ["started", "1"]
    assert is_all_gone(home)


@pytest.mark.parametrize("end", ["", "sys.exit(2)", "raise KeyboardInterrupt"])
def test_a_command_that_ends_before_it_opens_the_database_stops_the_server(home: Path, end: str):
    """For example because its options contradict each other."""
    start_script(f"{START}\n    {end}", home).communicate(timeout=TIMEOUT_SECONDS)

    assert is_all_gone(home)


def test_without_data_nothing_is_started_or_created(tmp_path: Path):
    """`open_embedded` makes the data, or reports that there is none."""
    run_script(START, tmp_path / "home")

    assert not (tmp_path / "home").exists()


def test_a_forked_child_opens_a_share_of_its_own(home: Path):
    """The server that was started early belongs to the parent."""
    output = run_script(
        START
        + """
    if os.fork() == 0:
        with open_embedded() as server:
            print(server.url.database, flush=True)
        os._exit(0)
    os.wait()
    """
        + SAY_WHETHER_STARTED,
        home,
    )
    assert output.split() == ["yts", "started"]
    assert is_all_gone(home)


def test_a_running_server_is_used(home: Path):
    """A second server is not started."""
    with open_embedded(home):
        (before,) = find_postmasters(home)
        run_script(START + "    open_embedded().close()\n", home)
        assert find_postmasters(home) == [before]


@pytest.mark.parametrize("name", ["DATABASE_URL", "YTS_DATABASE_URL", "DATABASE_URL_FILE", ""])
def test_a_command_with_another_database_starts_no_server(home: Path, name: str):
    """The environment or an option names it."""
    script = f"""
        import os, sys
        from cli.early_start import start_database_early
        url = "postgresql://host/database"
        os.environ |= {{"YTS_HOME": sys.argv[1], "{name or "OTHER"}": url}}
        start_database_early(None if "{name}" else url)
        print("database.embedded" in sys.modules)
    """
    assert run_script(script, home, from_scratch=True) == "False"


def test_the_modules_that_start_a_server_do_not_import_sqlalchemy(home: Path):
    """Its import is most of the time that the start of the server is hidden in."""
    script = START + "    print('sqlalchemy' in sys.modules)"
    assert run_script(script, home, from_scratch=True) == "False"
