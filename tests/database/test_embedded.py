"""
Whatever is done to its home, its users or itself: the embedded server serves, loses nothing
that was committed, ends nobody else, and leaves with its last user.
"""

import contextlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import psycopg2
import pytest
from sqlalchemy import create_engine, text

from database.db import DatabaseManager
from database.embedded import account as embedded_account
from database.embedded import home as embedded_home
from database.embedded import launcher as embedded_launch
from database.embedded import process as embedded_process
from database.embedded.server import DATABASE_NAME, default_home, open_embedded
from database.errors import DatabaseAway, DatabaseNotReady
from tests.support.embedded_world import (
    ENVIRONMENT,
    TIMEOUT_SECONDS,
    User,
    acting_as,
    copy_data,
    find_postmaster,
    find_postmasters,
    is_all_gone,
    query,
    read_modes,
    run_script,
    wait_until,
)
from tests.support.programs import run_python

LONG_NAME = "long" * 30
#: What is meant for another PostgreSQL.
MISLEADING = {
    "PGPORT": "1",
    "PGDATA": "/nowhere",
    "LC_ALL": "xx_XX",
    "PGHOSTADDR": "192.0.2.1",
    "PGSERVICE": "none",
    "PGREQUIREAUTH": "scram-sha-256",
    "PGCHANNELBINDING": "require",
    "PGGSSENCMODE": "require",
    "PGTARGETSESSIONATTRS": "standby",
    "PGREQUIREPEER": "none",
    "PGSSLMODE": "verify-full",
    "PGOPTIONS": "-c search_path=none",
    "PGTZ": "Asia/Tokyo",
    "PGWHATEVERCOMESNEXT": "1",
}


def _is_closed_to_others() -> bool:
    """Tell whether this checkout or its packages lie where only root may go."""
    places = (embedded_launch.find_programs(), Path(__file__).parent)
    nobody = pwd.getpwnam("nobody")
    return any(embedded_account._find_closed(place, nobody) for place in places)


as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become somebody else")


in_the_open = pytest.mark.skipif(
    os.geteuid() == 0 and _is_closed_to_others(), reason="others may not enter this checkout"
)


@pytest.fixture
def homes() -> Iterator[Callable[[Path], Path]]:
    """Says which homes a test uses; in none of them a process may be left at the end."""
    used: list[Path] = []
    children_before = set(psutil.Process().children())

    def use(home: Path) -> Path:
        used.append(home)
        return home

    yield use
    left = [home for home in used if not wait_until(lambda home=home: is_all_gone(home))]
    for postmaster in [process for home in left for process in find_postmasters(home)]:
        postmaster.kill()
    assert not left, "processes were left behind"
    # The guard of an earlier server may just be ending.
    is_alone = wait_until(lambda: set(psutil.Process().children()) <= children_before)
    assert is_alone, "children were left behind"


@pytest.fixture
def new_home(tmp_path: Path, homes: Callable[[Path], Path]) -> Path:
    """A home to be; for root it lies below directories that are closed to everybody else."""
    return homes(tmp_path / "home")


@pytest.fixture(scope="module")
def used_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A home that all tests of this module may use, one after the other."""
    home = tmp_path_factory.mktemp("used") / "home"
    open_embedded(home).close()
    return home


@pytest.fixture
def home(used_home: Path, homes: Callable[[Path], Path]) -> Path:
    """A home that was used before; no test leaves anything in it that another one notices."""
    return homes(used_home)


@pytest.fixture
def open_parent() -> Iterator[Path]:
    """A directory that everybody can enter."""
    with tempfile.TemporaryDirectory(prefix="yts-test-") as parent:
        Path(parent).chmod(0o755)
        yield Path(parent)


@pytest.fixture
def users() -> Iterator[Callable[..., User]]:
    """Starts users, who do not survive the test."""
    started: list[User] = []

    def start(home: Path, *python: str, **identity: object) -> User:
        started.append(User(home, *python, **identity))
        return started[-1]

    yield start
    for user in started:
        user.kill()


# --- coming and going --------------------------------------------------------------------


def test_starting_is_quick(new_home):
    """
    The first start takes less than 3 s, later ones less than 0.5 s; a busy machine may take ten
    times that.
    """
    seconds = []
    for _ in range(2):
        began = time.monotonic()
        with open_embedded(new_home):
            seconds.append(time.monotonic() - began)

    first, later = seconds
    assert first < 10 * 3
    assert later < 10 * 0.5


def test_the_database_is_ours_and_can_do_what_we_need(new_home):
    """
    A database of UTF-8, with pgvector, room for many workers, durable commits and no TCP.
    """
    with open_embedded(new_home) as server:
        (settings,) = query(
            server.url,
            "select json_object_agg(name, setting) from pg_settings where name in "
            "('server_encoding', 'listen_addresses', 'fsync', 'synchronous_commit')",
        )
        (connections,) = query(server.url, "select current_setting('max_connections')::int")
        query(server.url, "create extension vector")

    assert server.url.drivername == "postgresql+psycopg2"
    assert server.url.database == DATABASE_NAME
    assert settings == {
        "server_encoding": "UTF8",
        "listen_addresses": "",
        "fsync": "on",
        "synchronous_commit": "on",
    }
    assert connections >= 200


def test_the_last_one_out_stops_the_server(home, users):
    """
    Users come and go in any order; all have the same server, and it ends with the last of them.
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


def test_one_process_may_have_several_shares(home):
    """
    Shares are counted, not processes, and giving one back twice counts once.
    """
    first, second = open_embedded(home), open_embedded(home)
    first.close()
    first.close()

    assert query(second.url, "select 1") == [1]
    second.close()
    assert is_all_gone(home)


def test_six_at_once_get_one_server(new_home, users):
    """
    Processes that start in the same moment, with no data yet, end up on one server.
    """
    crowd = [users(new_home) for _ in range(6)]

    assert len({user.read_url() for user in crowd}) == 1
    assert len(find_postmasters(new_home)) == 1
    assert [user.leave() for user in crowd] == [0] * 6
    assert is_all_gone(new_home)


def test_starting_while_the_last_one_stops(home):
    """
    Whenever one leaves and another one comes, the one who came has a server that answers.
    """
    script = """
        import random, sys, time
        from pathlib import Path
        import psycopg2
        from database.embedded.server import open_embedded
        for _ in range(12):
            with open_embedded(Path(sys.argv[1])) as server:
                psycopg2.connect(
                    host=server.url.query["host"], user="postgres", dbname="yts"
                ).close()
                time.sleep(random.random() / 50)
            time.sleep(random.random() / 50)
    """
    command = [sys.executable, "-c", textwrap.dedent(script), home]
    crowd = [subprocess.Popen(command, env=ENVIRONMENT) for _ in range(3)]

    assert [process.wait(TIMEOUT_SECONDS) for process in crowd] == [0] * 3
    assert is_all_gone(home)


def test_a_script_that_forgets_to_close_stops_the_server(home):
    """
    The end of the program gives all its shares back.
    """
    script = """
        import sys
        from pathlib import Path
        from database.embedded.server import open_embedded
        shares = [open_embedded(Path(sys.argv[1])) for _ in range(2)]
    """
    run_script(script, home)

    assert is_all_gone(home)


def test_a_forked_child_has_no_share(home):
    """
    A forked child neither stops the server when it ends, nor keeps it when it goes on.
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


def test_no_zombie_is_left(home):
    """
    A process that started the server, and lives on after its end, does not keep its remains.
    """
    starter = open_embedded(home)
    postmaster = find_postmaster(home)
    postmaster.kill()

    assert wait_until(lambda: not psutil.pid_exists(postmaster.pid))
    starter.close()


def test_who_cannot_reach_it_hears_why_it_ended(home, monkeypatch):
    """
    In one sentence with the place of the log, and not that somebody should start a server.
    """
    monkeypatch.setenv("YTS_HOME", str(home))
    monkeypatch.delenv("DATABASE_URL", raising=False)
    with (  # noqa: PT012 -- it is about what the block ends with
        pytest.raises(DatabaseAway, match=r"The embedded PostgreSQL has ended: .*server\.log"),
        DatabaseManager() as db,
    ):
        find_postmaster(home).kill()
        assert wait_until(lambda: not find_postmasters(home))
        db.run_transaction(lambda session: session.execute(text("SELECT 1")), patience_seconds=0)


# --- sudden ends -------------------------------------------------------------------------


def test_the_server_of_a_killed_user_ends_with_the_next_one(home, users):
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


def test_a_killed_user_is_not_counted(home, users):
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
def test_what_was_committed_survives_the_server(name, is_reaped, tmp_path, homes, users):
    """
    After SIGKILL of the server the next user gets a living one, even while the remains of the
    old one are not reaped; committed rows are there, and the users that are left reach it too.
    """
    home = homes(tmp_path / name)
    starter = users(home)
    url = starter.read_url()
    query(url, "create table kept (id int)")
    query(url, "insert into kept values (1), (2)")
    if not is_reaped:
        starter.process.send_signal(signal.SIGSTOP)
        # Returns when every thread stands; until then one of them may still reap.
        os.waitid(os.P_PID, starter.process.pid, os.WSTOPPED)
    postmaster = find_postmaster(home)
    postmaster.kill()
    assert wait_until(lambda: not find_postmasters(home))
    assert psutil.pid_exists(postmaster.pid) or is_reaped

    with open_embedded(home) as server:
        assert query(server.url, "select id from kept order by id") == [1, 2]
        assert query(url, "select count(*) from kept") == [2]
    starter.process.send_signal(signal.SIGCONT)
    assert starter.leave() == 0


@pytest.mark.parametrize("directory", ["elsewhere", "data"])
def test_a_stale_pid_harms_nobody(home, directory, tmp_path):
    """
    Files of a dead server may name a pid that an innocent process has by now: it lives on.
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
        assert wait_until(lambda: is_all_gone(home))
        (home / "data" / "postmaster.pid").write_text(stale)
    assert innocent.poll() is None
    innocent.kill()
    innocent.wait()


def test_ctrl_c_at_one_users_terminal_spares_the_others(home, users):
    """
    The user who started the server leaves on Ctrl-C, like its whole process group; the server
    stays for the others.
    """
    starter = users(home)
    starter.read_url()
    other = users(home)
    url = other.read_url()
    os.killpg(starter.process.pid, signal.SIGINT)

    assert starter.process.wait(TIMEOUT_SECONDS) != 0
    assert query(url, "select 1") == [1]
    assert other.leave() == 0


def test_a_start_that_was_killed_is_begun_again(new_home):
    """
    Data that was not finished is thrown away.
    """
    (new_home / "init.tmp" / "base").mkdir(parents=True)
    (new_home / "init.tmp" / "PG_VERSION").write_text("1")

    with open_embedded(new_home) as server:
        assert query(server.url, "select 1") == [1]
    assert not (new_home / "init.tmp").exists()


def test_only_a_server_without_users_is_replaced_when_its_socket_is_gone(home, users, monkeypatch):
    """
    While another program uses the home, the next one is refused with the place of the socket, and
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


@pytest.mark.parametrize("name", ["home", LONG_NAME, "ho@me"])
def test_all_programs_agree_on_the_socket(name, tmp_path, homes, users, monkeypatch):
    """
    It is in the home, whatever its length: a program that sees another /tmp reaches the server of
    the others and does not stop it, as do the programs that it starts.
    """
    home = homes(tmp_path / name)
    first = users(home)
    first.read_url()
    postmaster = find_postmaster(home)
    (tmp_path / "private").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "private"))

    with open_embedded(home) as server:
        assert find_postmaster(home) == postmaster
        assert query(server.url, "select 1") == [1]
        psql = embedded_launch.find_programs() / "psql"
        url = server.url.set(drivername="postgresql").render_as_string()
        asked = subprocess.run([psql, "-Atc", "select 2", url], capture_output=True, check=True)
    assert asked.stdout == b"2\n"
    assert (home / "socket" / ".s.PGSQL.5432").is_socket()
    assert list((tmp_path / "private").iterdir()) == []
    assert first.leave() == 0


def test_without_proc_a_link_leads_to_a_long_home(tmp_path, monkeypatch):
    """
    It is there for as long as the address is in use.
    """
    target = tmp_path / LONG_NAME
    target.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "is_dir", lambda _path: False)
    address = embedded_home.SocketAddress(target)

    assert Path(address.path).resolve() == target
    address.close()
    assert list(tmp_path.iterdir()) == [target]


# --- places and people -------------------------------------------------------------------


@pytest.mark.parametrize(
    "name",
    [
        'it\'s a "home" & more',
        "Ночь 映画 $HOME `x` %s",
        "a,b:c\\d;#",
        "/".join([LONG_NAME] * 3),
    ],
)
def test_any_path_will_do_and_stays_as_it_was(name, tmp_path, homes):
    """
    Whatever its name and length, a home serves, also after a stop; no directory above it or
    above the programs changes its mode or owner.
    """
    home = homes(tmp_path / name)
    programs = embedded_launch.find_programs()
    home.parent.mkdir(parents=True, exist_ok=True)
    tmp_path.chmod(0o700)
    before = read_modes(home, programs)

    for _ in range(2):
        with open_embedded(home) as server:
            assert query(server.url, "show data_directory") == [str(home / "data")]
    assert read_modes(home, programs) == before


def test_the_home_is_where_the_user_says(new_home, monkeypatch):
    """
    YTS_HOME moves the home, taken as it is; else it is where this platform keeps such things.
    """
    monkeypatch.setenv("YTS_HOME", str(new_home))
    assert default_home() == new_home
    with open_embedded() as server:
        assert server.home == new_home
    monkeypatch.delenv("YTS_HOME")
    assert default_home().name == "yts-mirror"


def test_a_home_can_move(new_home, homes):
    """
    A home that was renamed while nobody used it has all it had.
    """
    with open_embedded(new_home) as server:
        query(server.url, "create table kept as select 7 as id")
    moved = new_home.rename(homes(new_home.with_name("moved")))

    with open_embedded(moved) as server:
        assert query(server.url, "select id from kept") == [7]


def test_a_copy_is_another_home(tmp_path, homes):
    """
    A copy made while the original is in use gets a server of its own, and disturbs nobody.
    """
    original, copy = homes(tmp_path / LONG_NAME), homes(tmp_path / ("copy" * 30))
    with open_embedded(original) as server:
        query(server.url, "checkpoint")
        copy_data(original, copy)
        with open_embedded(copy) as other:
            assert other.url != server.url
            assert query(other.url, "select 1") == [1]
            assert query(server.url, "select 1") == [1]
        assert query(server.url, "select 1") == [1]


def test_the_environment_of_postgresql_does_not_mislead_us(new_home, monkeypatch):
    """
    Settings for another PostgreSQL, or for a locale that is not there, have no effect on the
    server, on connections to it, on the workers of a fetch and on the programs of `exec`.
    """
    for name, value in MISLEADING.items():
        monkeypatch.setenv(name, value)

    with open_embedded(new_home) as server:
        assert query(server.url, "show search_path") == ['"$user", public']
    environment = {**ENVIRONMENT, **MISLEADING, "YTS_HOME": str(new_home)}
    fetch = ("fetch_yts_data.py", "--sandbox", "--max-pages=1", "--workers=2", "--no-embed")
    shell = ("database_shell.py", "psql", "-Atc", "show timezone; select count(*) from movies")
    for command, said in ((fetch, "new movies"), (shell, "\n50\n")):
        done = run_python(*command, environment=environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert said in done.stdout
        assert "Tokyo" not in done.stdout


def test_the_environment_of_postgresql_comes_back(home):
    """
    With the last server that was open; it may be meant for another one.
    """
    script = """
        import os, sys
        from pathlib import Path
        from database.embedded.server import open_embedded
        os.environ["PGPASSWORD"] = "x"
        with open_embedded(Path(sys.argv[1])):
            with open_embedded(Path(sys.argv[1])):
                pass
            assert "PGPASSWORD" not in os.environ
        print(os.environ["PGPASSWORD"])
    """
    assert run_script(script, home) == "x"


@as_root
@pytest.mark.parametrize(
    ("place", "lesser_user"),
    [("closed", "postgres"), ("open", "nobody"), ("long", "nobody")],
)
def test_nobody_else_reaches_the_server(  # noqa: PLR0917 (fixtures)
    place, lesser_user, tmp_path, open_parent, homes, monkeypatch
):
    """
    No other user gets into the database: not even the one the server runs as, for root.
    """
    monkeypatch.setattr(embedded_account, "_LESSER_USERS", (lesser_user,))
    _require_user(lesser_user)
    parents = {"closed": tmp_path, "open": open_parent, "long": tmp_path / LONG_NAME}
    home = homes(parents[place] / "home")

    with open_embedded(home) as server:
        assert (home / "data").owner() == lesser_user
        assert find_postmaster(home).username() == lesser_user
        for intruder in {lesser_user, "nobody"}:
            with acting_as(intruder), pytest.raises(psycopg2.OperationalError):
                psycopg2.connect(host=server.url.query["host"], user="postgres", dbname="postgres")


@as_root
@in_the_open
def test_only_closed_directories_give_the_server_a_capability(tmp_path, open_parent, homes):
    """
    Where the server's user can go anyway the server has no capability at all; elsewhere it has
    the one to pass closed directories, its programs cannot get more, and others of its user cannot
    reach the home.
    """
    capabilities = {}
    for parent in (open_parent, tmp_path):
        home = homes(parent / "home")
        with open_embedded(home):
            status = Path(f"/proc/{find_postmaster(home).pid}/status").read_text().split()
            capabilities[parent] = int(status[status.index("CapPrm:") + 1], 16)
            bounding_set = int(status[status.index("CapBnd:") + 1], 16)

    assert bounding_set == capabilities[tmp_path]
    assert capabilities == {open_parent: 0, tmp_path: 1 << embedded_account._CAP_DAC_READ_SEARCH}
    assert stat.S_IMODE(home.stat().st_mode) == 0o700


@as_root
def test_programs_behind_a_closed_door_serve_as_well(tmp_path, home, monkeypatch):
    """
    A virtual environment in root's own home, closed to everybody else, is no obstacle.
    """
    installed = embedded_launch.find_programs().parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(installed, closed / "pginstall", symlinks=True, copy_function=_link)
    monkeypatch.setattr(embedded_launch, "find_programs", lambda: closed / "pginstall" / "bin")

    with open_embedded(home) as server:
        assert query(server.url, "SELECT 1") == [1]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copy2(source, target)


@as_root
def test_without_a_way_in_the_user_hears_which_door_is_closed(home, monkeypatch):
    """
    Without setpriv a closed directory cannot be passed: the message names it, and a way out.
    """
    monkeypatch.setattr(shutil, "which", lambda _program: None)

    with pytest.raises(DatabaseNotReady, match=r"may not enter /.*YTS_HOME"):
        open_embedded(home)


@as_root
@in_the_open
def test_an_ordinary_user_has_a_server_too(open_parent, homes, users):
    """
    Without root all belongs to the user alone; and what is theirs, root does not take over.
    """
    nobody = pwd.getpwnam("nobody")
    home = homes(open_parent / "home")
    os.chown(open_parent, nobody.pw_uid, nobody.pw_gid)
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    user = users(home, _find_common_python(), **identity)
    url = user.read_url()

    with acting_as("nobody"):
        assert query(url, "select 1") == [1]
    assert {path.owner() for path in [home, *home.iterdir()]} == {"nobody"}
    assert find_postmaster(home).username() == "nobody"
    with pytest.raises(DatabaseNotReady, match="another user"):
        open_embedded(home)
    assert user.leave() == 0
    assert is_all_gone(home)


@as_root
@pytest.mark.parametrize("theirs", ["home", "home/data", "home/startup.lock"])
def test_what_belongs_to_another_user_is_refused(theirs, tmp_path):
    """
    Root too refuses a home, its data or its lock of another user, who would decide what runs; the
    sentence says whose it is, and nothing is written.
    """
    home = tmp_path / "home"
    (home / "data").mkdir(parents=True)
    os.chown(home / "data", *pwd.getpwnam("nobody")[2:4])
    (home / "startup.lock").touch()
    os.chown(tmp_path / theirs, 12345, 12345)
    before = sorted(tmp_path.rglob("*"))

    for create in (True, False):
        with pytest.raises(DatabaseNotReady, match=r"(belongs to|used by).* uid 12345"):
            open_embedded(home, create=create)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_home_that_every_user_can_write_is_refused(tmp_path):
    """
    Otherwise another user could put programs into the database of the one who looks first.
    """
    tmp_path.chmod(0o1777)

    with pytest.raises(DatabaseNotReady, match="can be written by every user"):
        open_embedded(tmp_path)
    assert list(tmp_path.iterdir()) == []


@as_root
def test_root_keeps_no_database_where_another_user_can_replace_it(tmp_path):
    """
    There the programs would have the right to pass closed directories.
    """
    os.chown(tmp_path, 12345, 12345)
    tmp_path.chmod(0o700)

    with pytest.raises(DatabaseNotReady, match=f"uid 12345 can replace what is in {tmp_path}"):
        open_embedded(tmp_path / "home")


@pytest.mark.parametrize("name", ["app.conf", "hba.conf", "ident.conf", "server.log", "users.lock"])
def test_no_link_is_followed(name, new_home, tmp_path):
    """
    A symbolic link in the place of a file of ours is refused by its name; what it leads to stays.
    """
    target = tmp_path / "target"
    target.write_text("precious")
    target.chmod(0o600)
    new_home.mkdir(mode=0o711)
    (new_home / name).symlink_to(target)

    with pytest.raises(DatabaseNotReady, match=f"{name} is a symbolic link"):
        open_embedded(new_home)
    assert target.read_text() == "precious"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600


def test_a_look_creates_nothing(tmp_path):
    """
    Where there is no home, or one without data, a program that only reads leaves it so.
    """
    (tmp_path / "empty").mkdir()

    for name in ("none", "empty", "none/below"):
        with pytest.raises(DatabaseNotReady, match=r"no database .* yet\. Fill it"):
            open_embedded(tmp_path / name, create=False)
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]


def test_a_home_may_begin_with_a_tilde(monkeypatch, tmp_path):
    """
    As shells expand it; a user who is unknown is named.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("YTS_HOME", "~/mirror")
    assert default_home() == tmp_path / "mirror"
    monkeypatch.setenv("YTS_HOME", "~no_such_user/mirror")
    with pytest.raises(DatabaseNotReady, match="no_such_user"):
        default_home()


# --- what cannot be ----------------------------------------------------------------------


def test_a_platform_without_the_programs_asks_for_a_url(home, monkeypatch):
    """
    Where the package is missing, the user hears what to set.
    """
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(DatabaseNotReady, match="DATABASE_URL"):
        open_embedded(home)


def test_a_wheel_without_the_programs_is_named(home, monkeypatch):
    """
    With its version, and how to get the right one.
    """
    monkeypatch.setattr(embedded_launch, "MAJOR_VERSION", "99")

    with pytest.raises(DatabaseNotReady, match=r"pgserver \d.* no PostgreSQL 99.*-r req"):
        open_embedded(home)


def test_data_of_another_version_is_left_alone(new_home):
    """
    Both versions are named, and the page that says how to move on.
    """
    open_embedded(new_home).close()
    (new_home / "data" / "PG_VERSION").write_text("16\n")

    with pytest.raises(DatabaseNotReady, match=r"PostgreSQL 16.*PostgreSQL 18.*operations\.md"):
        open_embedded(new_home)
    assert (new_home / "data" / "PG_VERSION").read_text() == "16\n"


def test_windows_asks_for_a_url():
    """
    Without the modules of Unix the import still works, and opening says what to set.
    """
    script = """
        import sys
        sys.modules["fcntl"] = sys.modules["pwd"] = None
        from database.embedded.server import DatabaseNotReady, open_embedded
        try:
            open_embedded()
        except DatabaseNotReady as error:
            print(error)
    """
    assert "DATABASE_URL" in run_script(script)


@as_root
@pytest.mark.parametrize(
    ("options", "reason"),
    [("ro", "its file system is read-only"), ("size=1m,nr_inodes=3", "no inodes left")],
)
def test_a_file_system_without_room_is_named(options, reason, tmp_path):
    """
    What is wrong with it goes before what came of it, which may be anything.
    """
    mount = ["mount", "-t", "tmpfs", "-o", options, "none", tmp_path]
    if subprocess.run(mount, check=False).returncode:
        pytest.skip("no right to mount a file system")
    try:
        with contextlib.suppress(OSError):
            for name in "abc":
                (tmp_path / name).touch()
        with pytest.raises(DatabaseNotReady, match=reason):
            open_embedded(tmp_path / "home")
        files = embedded_home.Home(tmp_path)
        files.log = tmp_path.with_name("server.log")
        files.log.write_text("FATAL:  the database system is starting up\n")
        assert reason in embedded_launch.Launcher(files).explain_end(0)
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_server_that_cannot_start_says_why(new_home):
    """
    The message has the last error of the log, and where to read more.
    """
    open_embedded(new_home).close()
    with (new_home / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")

    with pytest.raises(DatabaseNotReady, match=r"contains errors.*server\.log"):
        open_embedded(new_home)


def test_a_deleted_home_does_not_hinder_leaving(new_home):
    """
    Whoever has the home open when it is deleted still leaves without an error.
    """
    with open_embedded(new_home):
        postmaster = find_postmaster(new_home)
        shutil.rmtree(new_home)
    postmaster.send_signal(signal.SIGQUIT)
    postmaster.wait(TIMEOUT_SECONDS)


def test_a_place_that_cannot_be_is_explained(tmp_path):
    """
    What the system says becomes one error for the user, with the path.
    """
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseNotReady, match=r"file/home.*YTS_HOME"):
        open_embedded(tmp_path / "file" / "home")
    with pytest.raises(DatabaseNotReady, match="characters"):
        open_embedded(tmp_path / "two\nlines")


def test_the_log_does_not_grow_for_ever(home):
    """
    A log of more than 1 MB is started afresh with the server.
    """
    open_embedded(home).close()
    (home / "server.log").write_text("x" * 1_100_000)
    open_embedded(home).close()

    assert 0 < (home / "server.log").stat().st_size < 10_000


def _require_user(name: str) -> None:
    try:
        pwd.getpwnam(name)
    except KeyError:
        pytest.skip(f"this system has no user {name}")


def _find_common_python() -> str:
    """Return an interpreter like ours that every user can execute."""
    wanted = f"python{sys.version_info.major}.{sys.version_info.minor}"
    python = shutil.which(wanted, path="/usr/local/bin:/usr/bin")
    if python is None:
        pytest.skip(f"no {wanted} that every user can execute")
    return python
