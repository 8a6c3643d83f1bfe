"""Homes of the embedded server: any path, moves and copies, the socket, and the environment."""

import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from database.embedded import home as embedded_home
from database.embedded import launcher as embedded_launch
from database.embedded.server import default_home, open_embedded
from database.errors import DatabaseNotReady
from tests.support.processes.programs import run_python
from tests.support.servers.embedded_world import (
    LONG_NAME,
    User,
    copy_data,
    find_postmaster,
    own_environment,
    query,
    read_modes,
    run_script,
)

CopyHome = Callable[[Path], Path]

#: Settings that are meant for another PostgreSQL.
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


@pytest.mark.parametrize(
    "name",
    [
        pytest.param('it\'s a "home" & more/Ночь 映画 $HOME `x` %s/a,b:c\\d;#', id="odd"),
        pytest.param("/".join([LONG_NAME] * 3), id="long"),
    ],
)
def test_a_home_may_have_any_path(name: str, tmp_path: Path, homes: Callable[[Path], Path]):
    """
    A home with an odd or long path can be created and opened again. No directory above it or above
    the programs changes its mode or owner.
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


@pytest.mark.parametrize("name", ["home", LONG_NAME, "ho@me"])
def test_all_programs_agree_on_the_socket(
    name: str,
    tmp_path: Path,
    copy_home: CopyHome,
    users: Callable[..., User],
    monkeypatch: pytest.MonkeyPatch,
):
    """
    The socket is in the home, whatever its length: a program with another TMPDIR uses the server of
    the others and does not stop it, as do the programs that it starts.
    """
    home = copy_home(tmp_path / name)
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


def test_without_proc_a_link_leads_to_a_long_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """
    The link exists as long as the address is in use.
    """
    target = tmp_path / LONG_NAME
    target.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(Path, "is_dir", lambda _path: False)
    address = embedded_home.SocketAddress(target)

    assert Path(address.path).resolve() == target
    address.close()
    assert list(tmp_path.iterdir()) == [target]


def test_yts_home_is_the_home(filled_home: Path, monkeypatch: pytest.MonkeyPatch):
    """
    YTS_HOME itself is the home, not a directory above it; by default, it is the directory of this
    platform for the data of programs.
    """
    monkeypatch.setenv("YTS_HOME", str(filled_home))
    assert default_home() == filled_home
    with open_embedded() as server:
        assert server.home == filled_home
    monkeypatch.delenv("YTS_HOME")
    assert default_home().name == "yts-mirror"


def test_yts_home_may_begin_with_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    """
    It is expanded as shells do; the message about an unknown user has the user's name.
    """
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("YTS_HOME", "~/mirror")
    assert default_home() == tmp_path / "mirror"
    monkeypatch.setenv("YTS_HOME", "~no_such_user/mirror")
    with pytest.raises(DatabaseNotReady, match="no_such_user"):
        default_home()


def test_a_home_can_move(filled_home: Path, homes: Callable[[Path], Path]):
    """
    A home that was renamed while it was not in use keeps its tables.
    """
    with open_embedded(filled_home) as server:
        query(server.url, "create table kept as select 7 as id")
    moved = filled_home.rename(homes(filled_home.with_name("moved")))

    with open_embedded(moved) as server:
        assert query(server.url, "select id from kept") == [7]


def test_a_copy_is_another_home(tmp_path: Path, homes: Callable[[Path], Path], copy_home: CopyHome):
    """
    A copy made while the original is in use gets a server of its own; the original is not
    disturbed.
    """
    original, copy = copy_home(tmp_path / LONG_NAME), homes(tmp_path / ("copy" * 30))
    with open_embedded(original) as server:
        query(server.url, "checkpoint")
        copy_data(original, copy)
        with open_embedded(copy) as other:
            assert other.url != server.url
            assert query(other.url, "select 1") == [1]
            assert query(server.url, "select 1") == [1]
        assert query(server.url, "select 1") == [1]


def test_variables_of_libpq_have_no_effect_on_the_embedded_server(
    new_home: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    Settings for another PostgreSQL, or for a locale that does not exist, have no effect on the
    server, on connections to it, on the workers of a fetch and on the programs of `exec`.
    """
    for name, value in MISLEADING.items():
        monkeypatch.setenv(name, value)

    with open_embedded(new_home) as server:
        assert query(server.url, "show search_path") == ['"$user", public']
    environment = {**own_environment(), **MISLEADING, "YTS_HOME": str(new_home)}
    fetch = ("fetch_yts_data.py", "--sandbox", "--max-pages=1", "--workers=2", "--no-embed")
    shell = ("database_shell.py", "psql", "-Atc", "show timezone; select count(*) from movies")
    for command, output in ((fetch, "new movies"), (shell, "\n50\n")):
        done = run_python(*command, environment=environment)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        assert output in done.stdout
        assert "Tokyo" not in done.stdout


def test_the_environment_of_postgresql_is_restored(home: Path):
    """
    When the last server is closed, the variables are back: they may be meant for another server.
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


def test_opening_only_to_read_creates_nothing(tmp_path: Path):
    """
    A program that only reads is refused where there is no home, or a home without data.
    """
    (tmp_path / "empty").mkdir()

    for name in ("none", "empty", "none/below"):
        with pytest.raises(DatabaseNotReady, match=r"no database .* yet\. Fill it"):
            open_embedded(tmp_path / name, create=False)
    assert list(tmp_path.rglob("*")) == [tmp_path / "empty"]
