"""`monitor_progress.py`: one look, the live view, waits for the database, and signals."""

import fcntl
import json
import os
import pty
import signal
import socket
import struct
import termios
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, make_url, text

from database.bookkeeping.failures import Failure, record_failures
from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.bookkeeping.workers import note_work
from database.db import DatabaseManager
from tests.support.databases import run_sql
from tests.support.processes.commands import call, run, start
from tests.support.processes.watching import PATIENCE_SECONDS, read_until, start_writing, watch

SCRIPT = "monitor_progress.py"


def look(url: URL) -> dict[str, Any]:
    """Return the status that the monitor prints as JSON."""
    done = call(SCRIPT, "--once", "--json", url=url)
    assert (done.returncode, done.stderr, done.stdout.count("\n")) == (0, "", 1)
    return json.loads(done.stdout)


def add_run(db: DatabaseManager, **values: object) -> None:
    """Insert the row of a run that began a minute ago and is reading details."""
    row = {"command": "'fetch'", "phase": "'details'", "started_at": "now() - interval '1 min'"}
    row |= {"details_expected": 900, "details_read": 300, "requests": 300, **values}
    with db.get_session() as session:
        columns, values_ = ", ".join(row), ", ".join(map(str, row.values()))
        session.execute(text(f"INSERT INTO fetch_runs ({columns}) VALUES ({values_})"))


def add_movies(db: DatabaseManager, *titles: str) -> None:
    """Save a movie with a genre of its own for each title."""
    for number, title in enumerate(titles, 1):
        movie = {"id": number, "title": title, "year": 1999, "genres": [f"Genre {number}"]}
        assert db.save_movie({**movie, "slug": f"m-{number}", "rating": 7})[0]


def see(url: URL, lines: int, *parts: bytes) -> bytes:
    """Show the live view on a terminal of 80 columns until it has *parts*; return all output."""
    leader, follower = pty.openpty()
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", lines, 80, 0, 0))
    with start_writing(follower, url=url, TERM="xterm-256color") as process:
        os.close(follower)
        try:
            # Before this, the view only says that it is connecting.
            seen = read_until(leader, b"Genre 1")
            for part in parts:
                seen += read_until(leader, part)
            process.send_signal(signal.SIGINT)
            seen += read_until(leader, None)

            assert process.wait(8) == 0
        finally:
            process.kill()
            os.close(leader)
    return seen


def test_a_database_without_tables_is_an_empty_mirror(
    new_database: Callable[..., URL], db: DatabaseManager
) -> None:
    """
    The monitor says that no fetch has run yet, exits with 0, and creates no tables.

    The statistics are those of empty tables, so that programs need no case for it.
    """
    url = new_database(is_empty=True)

    done = call(SCRIPT, "--once", url=url)

    assert (done.returncode, done.stderr) == (0, "")
    assert "empty: no fetch has run yet" in done.stdout
    status = look(url)
    assert (status["is_empty"], status["run"], status["eta_seconds"]) == (True, None, None)
    assert status["stats"] == db.get_stats()
    with DatabaseManager(url) as empty, empty.get_session() as session:
        assert session.scalar(text("SELECT count(*) FROM pg_stat_user_tables")) == 0


def test_json_has_the_numbers_of_get_stats(db: DatabaseManager, database_url: URL) -> None:
    """The monitor does not count movies in another way than the API for Python."""
    add_movies(db, "One", "Two", "Three")

    status = look(database_url)

    assert status["message_type"] == "status"
    assert status["stats"] == db.get_stats()
    assert [movie["title"] for movie in status["last_stored_movies"]] == ["Three", "Two", "One"]
    assert status["top_genres"][0] == {"name": "Genre 1", "movies": 1}
    assert status["details_percent"] == 0.0


def test_a_running_a_finished_and_a_killed_run_have_different_states(
    db: DatabaseManager, database_url: URL, new_database: Callable[..., URL]
) -> None:
    """
    A run without an end is running if the fetch lock of this database is held, else it was killed.
    """
    add_run(db)
    with hold_fetch_lock(db.engine):
        running = look(database_url)
    with DatabaseManager(new_database()) as other, hold_fetch_lock(other.engine):
        killed = call(SCRIPT, "--once", url=database_url).stdout
    add_run(db, finished_at="now()", exit_code=3, phase="'ended'")
    finished = call(SCRIPT, "--once", url=database_url).stdout

    assert running["run"]["state"] == "running"
    assert running["rates"]["requests_per_second"] == pytest.approx(5, rel=0.2)
    assert running["eta_seconds"] == pytest.approx(120, rel=0.2)
    assert "Last fetch was killed" in killed
    assert "ETA" not in killed
    assert "Last fetch finished, but some failed; 1 min 0 s" in finished


def test_a_killed_run_stays_killed_after_the_next_run_has_closed_its_row(
    db: DatabaseManager, database_url: URL
) -> None:
    """The next run closes the row of a killed one, with the last heartbeat as its end."""
    add_run(db, phase="'killed'", finished_at="now() - interval '30 s'", heartbeat_at="now()")

    (past,) = call(SCRIPT, "--history", "--json", url=database_url).stdout.splitlines()

    assert look(database_url)["run"]["state"] == json.loads(past)["state"] == "killed"
    assert "Last fetch was killed" in call(SCRIPT, "--once", url=database_url).stdout


def test_gone_movies_have_a_line_if_there_are_any(db: DatabaseManager, database_url: URL) -> None:
    """Usually there are none, and then there is no line for them."""
    add_movies(db, "One", "Two", "Three")
    before = call(SCRIPT, "--once", url=database_url).stdout
    run_sql(database_url, "UPDATE movies SET gone_since = now() WHERE external_id < 3")

    assert "gone" not in before
    assert "gone from YTS   2\n" in call(SCRIPT, "--once", url=database_url).stdout
    assert look(database_url)["stats"]["total_gone"] == 2


def test_a_database_that_comes_up_later_is_waited_for(server_url: URL, tmp_path: Path) -> None:
    """The monitor may be started before there is a database; it prints once why it waits."""
    url = server_url.set(database="later")
    with watch(url, tmp_path / "out") as watching:
        watching.wait_for("waiting for the database: ")
        time.sleep(0.5)  # Time for more attempts.
        assert watching.written.count("waiting for the database") == 1

        run_sql(server_url, "CREATE DATABASE later TEMPLATE migrated")

        watching.wait_for("empty: no fetch has run yet")


def test_the_monitor_survives_a_restart_of_the_server(
    db: DatabaseManager, database_url: URL, server_url: URL, tmp_path: Path
) -> None:
    """It continues after its connections were closed and new ones refused for a while."""
    add_movies(db, "One")
    db.engine.dispose()
    name = database_url.database
    with watch(database_url, tmp_path / "out", "--json") as watching:
        watching.wait_for('"total_movies": 1')
        run_sql(
            server_url,
            f"ALTER DATABASE {name} ALLOW_CONNECTIONS false",
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'",
        )
        written = watching.wait_for('"message_type": "waiting"')
        run_sql(server_url, f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
        watching.wait_for('"total_movies": 1', start=written)

        assert {json.loads(line)["message_type"] for line in watching.written.splitlines()} == {
            "status",
            "waiting",
        }


@pytest.mark.parametrize(("number", "exit_code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_a_signal_ends_the_monitor_at_once_and_without_a_message(
    number: signal.Signals, exit_code: int, database_url: URL, tmp_path: Path
) -> None:
    """Ctrl-C is the usual way to end a monitor, so its exit code is 0."""
    with watch(database_url, tmp_path / "out") as watching:
        watching.wait_for("no fetch has run yet")

        assert watching.leave(number) == exit_code
        assert "Traceback" not in watching.written


def test_ctrl_c_ends_the_monitor_while_the_server_is_silent(tmp_path: Path) -> None:
    """The driver waits ten seconds for a response; Ctrl-C does not wait for the driver."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = make_url(f"postgresql://u@127.0.0.1:{silent.getsockname()[1]}/x")
        with watch(url, tmp_path / "out") as watching, silent.accept()[0]:
            assert watching.leave(signal.SIGINT) == 0
            assert watching.written == ""


def test_a_closed_pipe_ends_the_monitor_without_an_error(database_url: URL) -> None:
    """As with `| head`: exit code 0, and nothing on stderr."""
    with start(SCRIPT, "--json", "--interval", "0.1", url=database_url) as process:
        process.stdout.readline()
        process.stdout.close()

        assert process.stderr.read() == ""
        assert process.wait(PATIENCE_SECONDS) == 0


def test_titles_are_printed_without_control_characters(
    db: DatabaseManager, database_url: URL
) -> None:
    """Letters that the encoding of stdout does not have become question marks."""
    add_movies(db, "Red \x1b[31m\x9b2J \u202ecod\n\t静か\x07")

    latin = {"PYTHONIOENCODING": "latin-1"}
    done = run(SCRIPT, "--once", url=database_url, env=latin)

    assert (done.returncode, done.stderr) == (0, "")
    assert "Red [31m2J cod ?? (1999)" in done.stdout
    assert done.stdout.replace("\n", "").isprintable()


@pytest.mark.parametrize(
    ("url", "options", "exit_code"),
    [
        ("postgresql://u:hidden-word@127.0.0.1:1/x", ["--once"], 5),
        ("mysql://u:hidden-word@127.0.0.1/x", [], 2),
    ],
)
def test_an_error_is_one_line_without_the_password(
    url: str, options: list[str], exit_code: int
) -> None:
    """An invalid URL is a usage error (2); a database that cannot be reached is not (5)."""
    done = call(SCRIPT, *options, DATABASE_URL=url)

    assert (done.returncode, done.stdout) == (exit_code, "")
    assert done.stderr.count("\n") == 1
    assert "hidden-word" not in done.stderr


def test_the_monitor_shows_connected_workers_and_the_last_failures(
    db: DatabaseManager, database_url: URL
) -> None:
    """A worker that is not connected any more is left out, although its row is still there."""
    add_run(db)
    failure = Failure("movie", "7", "fetch", "YtsUnavailable", "YTS answered HTTP 503")
    with DatabaseManager(database_url, application_name="yts-mirror worker 1") as alive:
        with alive.get_session() as session:
            record_failures(session, [failure])
            note_work(session, "yts-mirror worker 1", "page 3 of the list")
            note_work(session, "yts-mirror worker 2", "page 4 of the list")
        with hold_fetch_lock(db.engine):
            status = look(database_url)
            as_text = call(SCRIPT, "--once", url=database_url).stdout

    assert [it["doing"] for it in status["workers"]] == ["page 3 of the list"]
    assert "worker 1  page 3 of the list, for " in as_text
    assert "movie 7  YTS answered HTTP 503" in as_text


@pytest.mark.parametrize(("lines", "genre"), [(24, b"Genre 3"), (40, b"Genre 6")])
def test_failures_are_shown_on_terminals_of_any_height(
    db: DatabaseManager, database_url: URL, lines: int, genre: bytes
) -> None:
    """A low terminal shows fewer genres instead; the last line is always visible."""
    add_movies(db, *(f"Title {number} {'x' * 90}" for number in range(1, 10)))
    add_run(db, pages_expected=8, pages_read=8)
    with db.get_session() as session:
        reason = "a reason " * 20
        record_failures(
            session,
            [Failure("movie", str(it), "fetch", "YtsUnavailable", reason) for it in range(9)],
        )

    seen = see(database_url, lines, genre, b"Last errors", b"Ctrl-C leaves")

    assert b"a reason a reason" in seen


def test_the_live_view_fits_80_by_24_and_gives_the_terminal_back(
    db: DatabaseManager, database_url: URL
) -> None:
    """
    With all possible parts, the last line is still visible.

    At the end, the monitor leaves the alternate screen and shows the cursor again.
    """
    add_movies(db, *(f"Title [bold] {number} {'x' * 90}" for number in range(1, 10)))
    add_run(db, pages_expected=8, pages_read=8)
    run_sql(database_url, "UPDATE movies SET gone_since = now() WHERE external_id < 3")

    seen = see(database_url, 24, b"Genre 6", b"Ctrl-C leaves")

    assert b"Title [bold] 9 x" in seen
    assert b"gone from YTS" in seen
    assert b"Last fetch was killed" in seen
    assert seen.index(b"\x1b[?1049h") < seen.index(b"\x1b[?1049l")
    assert seen.rindex(b"\x1b[?25l") < seen.rindex(b"\x1b[?25h")
    assert b"Traceback" not in seen
