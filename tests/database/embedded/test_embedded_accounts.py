"""The embedded server and other users of the system: none reaches it or decides what runs."""

import os
import pwd
import shutil
import stat
from collections.abc import Callable
from pathlib import Path

import psycopg2
import pytest

from database.embedded import account as embedded_account
from database.embedded import launcher as embedded_launch
from database.embedded.server import open_embedded
from database.errors import DatabaseNotReady
from tests.support.servers.embedded_world import (
    LONG_NAME,
    User,
    acting_as,
    as_root,
    find_common_python,
    find_postmaster,
    is_all_gone,
    link_or_copy,
    query,
    require_user,
)


def _is_closed_to_others() -> bool:
    """Return whether only root can enter this checkout or the installed packages."""
    directories = (embedded_launch.find_programs(), Path(__file__).parent)
    nobody = pwd.getpwnam("nobody")
    return any(embedded_account._find_closed(directory, nobody) for directory in directories)


in_the_open = pytest.mark.skipif(
    os.geteuid() == 0 and _is_closed_to_others(), reason="others may not enter this checkout"
)


@as_root
@pytest.mark.parametrize(
    ("parent", "lesser_user"),
    [
        ("closed", "postgres"),
        ("open", "nobody"),
        pytest.param("long", "nobody", marks=pytest.mark.long),
    ],
)
def test_no_other_user_reaches_the_server(  # noqa: PLR0917 -- fixtures
    parent: str,
    lesser_user: str,
    tmp_path: Path,
    open_parent: Path,
    homes: Callable[[Path], Path],
    monkeypatch: pytest.MonkeyPatch,
):
    """
    No other user can connect: if root starts the server, not even the user that it runs as.
    """
    monkeypatch.setattr(embedded_account, "_LESSER_USERS", (lesser_user,))
    require_user(lesser_user)
    parents = {"closed": tmp_path, "open": open_parent, "long": tmp_path / LONG_NAME}
    home = homes(parents[parent] / "home")

    with open_embedded(home) as server:
        assert (home / "data").owner() == lesser_user
        assert find_postmaster(home).username() == lesser_user
        for intruder in {lesser_user, "nobody"}:
            with acting_as(intruder), pytest.raises(psycopg2.OperationalError):
                psycopg2.connect(host=server.url.query["host"], user="postgres", dbname="postgres")


@as_root
@in_the_open
def test_only_closed_directories_give_the_server_a_capability(
    tmp_path: Path, open_parent: Path, homes: Callable[[Path], Path]
):
    """
    Where the server's user can enter every directory, the server has no capability. Elsewhere it
    has only the one to pass closed directories, its programs cannot get more, and other processes
    of its user cannot enter the home.
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
def test_programs_in_a_closed_directory_can_be_used(
    tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    The virtual environment may be in a directory that only root can enter.
    """
    installed = embedded_launch.find_programs().parent
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    shutil.copytree(installed, closed / "pginstall", symlinks=True, copy_function=link_or_copy)
    monkeypatch.setattr(embedded_launch, "find_programs", lambda: closed / "pginstall" / "bin")

    with open_embedded(home) as server:
        assert query(server.url, "SELECT 1") == [1]
    assert stat.S_IMODE(closed.stat().st_mode) == 0o700


@as_root
def test_a_closed_directory_is_named_if_it_cannot_be_passed(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    Without setpriv a closed directory cannot be passed: the message names it, and a way out.
    """
    monkeypatch.setattr(shutil, "which", lambda _program: None)

    with pytest.raises(DatabaseNotReady, match=r"may not enter /.*YTS_HOME"):
        open_embedded(home)


@as_root
@in_the_open
def test_an_ordinary_user_can_have_a_server(
    open_parent: Path, homes: Callable[[Path], Path], users: Callable[..., User]
):
    """
    Without root, everything belongs to the user alone; root does not take over such a home.
    """
    nobody = pwd.getpwnam("nobody")
    home = homes(open_parent / "home")
    os.chown(open_parent, nobody.pw_uid, nobody.pw_gid)
    identity = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
    user = users(home, find_common_python(), **identity)
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
def test_what_belongs_to_another_user_is_refused(theirs: str, tmp_path: Path):
    """
    Root too refuses a home, data or a lock of another user, because that user would decide what
    runs as root. The message names the owner, and nothing is written.
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


def test_a_home_that_every_user_can_write_is_refused(tmp_path: Path):
    """
    Otherwise another user could put programs into the database of the user who opens it first.
    """
    tmp_path.chmod(0o1777)

    with pytest.raises(DatabaseNotReady, match="can be written by every user"):
        open_embedded(tmp_path)
    assert list(tmp_path.iterdir()) == []


@as_root
def test_root_keeps_no_database_where_another_user_can_replace_it(tmp_path: Path):
    """
    Programs that another user put there would have the right to pass closed directories.
    """
    os.chown(tmp_path, 12345, 12345)
    tmp_path.chmod(0o700)

    with pytest.raises(DatabaseNotReady, match=f"uid 12345 can replace what is in {tmp_path}"):
        open_embedded(tmp_path / "home")


@pytest.mark.parametrize(
    "name",
    [
        "app.conf",
        "users.lock",
        *(pytest.param(name, marks=pytest.mark.long)
          for name in ("hba.conf", "ident.conf", "server.log")),
    ],
)  # fmt: skip
def test_no_link_is_followed(name: str, filled_home: Path, tmp_path: Path):
    """
    A symbolic link in the place of one of our files is refused by its name; its target stays as it
    is.
    """
    target = tmp_path / "target"
    target.write_text("precious")
    target.chmod(0o600)
    (filled_home / name).unlink()
    (filled_home / name).symlink_to(target)

    with pytest.raises(DatabaseNotReady, match=f"{name} is a symbolic link"):
        open_embedded(filled_home)
    assert target.read_text() == "precious"
    assert stat.S_IMODE(target.stat().st_mode) == 0o600
