"""The embedded server after kills: committed rows are kept, and no other process is harmed."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil
import pytest
from sqlalchemy import create_engine, text

from database.embedded import process as embedded_process
from database.embedded.server import open_embedded
from database.errors import DatabaseNotReady
from tests.support.servers.embedded_world import (
    LONG_NAME,
    TIMEOUT_SECONDS,
    User,
    find_postmaster,
    has_ended,
    is_all_gone,
    query,
)
from tests.support.waiting import wait_until

Users = Callable[..., User]


def test_the_server_of_a_killed_user_ends_with_the_next_one(home: Path, users: Users):
    """
    SIGKILL leaves the server without users; the next user takes it over, and stops it.
    """
    killed = users(home)
    killed.read_url()
    postmaster = find_postmaster(home)
    killed.kill()

    assert find_postmaster(home) == postmaster
    with open_embedded(home) as server:
        assert query(server.url, "select 1") == [1]
        assert find_postmaster(home) == postmaster
    assert is_all_gone(home)


def test_a_killed_user_is_not_counted(home: Path, users: Users):
    """
    The last living user stops the server, even if others were killed.
    """
    killed, last = users(home), users(home)
    killed.read_url()
    last.read_url()
    killed.kill()

    assert last.leave() == 0
    assert is_all_gone(home)


@pytest.mark.parametrize(("name", "is_reaped"), [("home", False), (LONG_NAME, True)])
def test_committed_rows_survive_a_kill_of_the_server(
    name: str,
    is_reaped: bool,
    tmp_path: Path,
    copy_home: Callable[[Path], Path],
    users: Users,
):
    """
    After SIGKILL of the server the next user gets a new one, even while the old one is a zombie.
    Committed rows are there, and the users of the old server reach the new one by the same URL.
    """
    home = copy_home(tmp_path / name)
    starter = users(home)
    url = starter.read_url()
    query(url, "create table kept (id int)")
    query(url, "insert into kept values (1), (2)")
    if not is_reaped:
        starter.stop()
    postmaster = find_postmaster(home)
    postmaster.kill()
    wait_until(lambda: has_ended(postmaster), "the server still runs")
    assert psutil.pid_exists(postmaster.pid) or is_reaped

    with open_embedded(home) as server:
        assert query(server.url, "select id from kept order by id") == [1, 2]
        assert query(url, "select count(*) from kept") == [2]
    starter.process.send_signal(signal.SIGCONT)
    assert starter.leave() == 0


@pytest.mark.parametrize("directory", ["elsewhere", "data"])
def test_a_stale_pid_harms_no_other_process(home: Path, directory: str, tmp_path: Path):
    """
    Files of a dead server may name a pid that another process has by now: that process lives on.
    """
    open_embedded(home).close()
    (tmp_path / "elsewhere").mkdir()
    working_directory = home / directory if directory == "data" else tmp_path / directory
    # PostgreSQL believes a pid only of a process that its own user could have started.
    user = (home / "data").stat().st_uid if os.geteuid() == 0 else None
    innocent = subprocess.Popen(["sleep", "60"], cwd=working_directory, user=user)
    stale = f"{innocent.pid}\n{home / 'data'}\n1\n5432\n{home / 'socket'}\n\n  1 1\nready\n"
    (home / "data" / "postmaster.pid").write_text(stale)
    (home / "socket").mkdir(mode=0o700)
    (home / "socket" / ".s.PGSQL.5432.lock").write_text(stale)

    with open_embedded(home) as server:
        assert query(server.url, "select 1") == [1]
        find_postmaster(home).kill()
        wait_until(lambda: is_all_gone(home), "a process is left")
        (home / "data" / "postmaster.pid").write_text(stale)
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def test_ctrl_c_of_one_user_spares_the_others(home: Path, users: Users):
    """
    Ctrl-C ends the whole process group of the user who started the server; the server stays for
    the others.
    """
    starter = users(home)
    starter.read_url()
    other = users(home)
    url = other.read_url()
    os.killpg(starter.process.pid, signal.SIGINT)

    assert starter.process.wait(TIMEOUT_SECONDS) != 0
    assert query(url, "select 1") == [1]
    assert other.leave() == 0


def test_only_a_server_without_users_is_replaced_when_its_socket_is_gone(
    home: Path, users: Users, monkeypatch: pytest.MonkeyPatch
):
    """
    While another program uses the home, the next one is refused with the path of the socket, and
    the server lives on; the server of a killed program is replaced.
    """
    monkeypatch.setattr(embedded_process, "_UNREACHABLE_SECONDS", 0.1)
    cut_off = users(home)
    engine = create_engine(cut_off.read_url())
    with engine.connect() as connection:
        (home / "socket" / ".s.PGSQL.5432").unlink()

        with pytest.raises(DatabaseNotReady, match=r"Another program .*/socket/\.s\.PGSQL"):
            open_embedded(home)
        assert connection.scalar(text("select 1")) == 1
    engine.dispose()
    cut_off.kill()
    with open_embedded(home) as server:
        assert query(server.url, "select 1") == [1]


def test_a_home_that_is_deleted_while_open_can_be_closed(filled_home: Path):
    """
    A user who has the home open when it is deleted closes it without an error.
    """
    with open_embedded(filled_home):
        postmaster = find_postmaster(filled_home)
        shutil.rmtree(filled_home)
    with suppress(psutil.NoSuchProcess):  # PostgreSQL has noticed, and ended by itself.
        postmaster.send_signal(signal.SIGQUIT)
        postmaster.wait(TIMEOUT_SECONDS)


def test_the_log_does_not_grow_without_limit(home: Path):
    """
    A log of more than 1 MB is deleted when the server starts.
    """
    open_embedded(home).close()
    (home / "server.log").write_text("x" * 1_100_000)
    open_embedded(home).close()

    assert 0 < (home / "server.log").stat().st_size < 10_000


def test_a_server_that_has_ended_can_be_started_again_at_the_same_url(home: Path):
    """A program that runs for weeks need not be restarted after a kill of PostgreSQL."""
    with open_embedded(home) as server:
        assert not server.start_if_ended()
        for _ in range(2):
            postmaster = find_postmaster(home)
            postmaster.kill()
            wait_until(lambda postmaster=postmaster: has_ended(postmaster), "its end")
            assert server.start_if_ended()
            assert query(server.url, "SELECT 1") == [1]
        assert not server.start_if_ended()
    assert not server.start_if_ended(), "the share was given back"


def test_a_server_that_does_not_answer_for_a_moment_has_not_ended(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    """Its processes hold a lock, so no other one is started, and nothing is said of an end."""
    with open_embedded(home) as server:
        postmaster = find_postmaster(home)
        answers = iter([False, False])
        monkeypatch.setattr(
            embedded_process.ServerProcess, "_answers", lambda _process: next(answers, True)
        )

        assert not server.start_if_ended()
        assert find_postmaster(home) == postmaster
