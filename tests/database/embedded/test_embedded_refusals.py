"""The embedded server where it cannot run: the message names the reason and what to do."""

import contextlib
import subprocess
from pathlib import Path

import pytest

from database.embedded import home as embedded_home
from database.embedded import launcher as embedded_launch
from database.embedded.server import open_embedded
from database.errors import DatabaseNotReady
from tests.support.servers.embedded_world import as_root, run_script


def test_a_platform_without_the_programs_asks_for_a_url(
    home: Path, monkeypatch: pytest.MonkeyPatch
):
    """
    Without the package, the message names the variable to set.
    """
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)

    with pytest.raises(DatabaseNotReady, match="DATABASE_URL"):
        open_embedded(home)


def test_a_package_without_the_programs_is_named(home: Path, monkeypatch: pytest.MonkeyPatch):
    """
    The message has its version, and how to install the right one.
    """
    monkeypatch.setattr(embedded_launch, "MAJOR_VERSION", "99")

    with pytest.raises(DatabaseNotReady, match=r"pgserver \d.* no PostgreSQL 99.*-r req"):
        open_embedded(home)


def test_data_of_another_version_is_left_alone(filled_home: Path):
    """
    The message names both versions, and the page that explains the upgrade.
    """
    (filled_home / "data" / "PG_VERSION").write_text("16\n")

    with pytest.raises(DatabaseNotReady, match=r"PostgreSQL 16.*PostgreSQL 18.*operations\.md"):
        open_embedded(filled_home)
    assert (filled_home / "data" / "PG_VERSION").read_text() == "16\n"


def test_windows_asks_for_a_url():
    """
    Without the modules of Unix the import still works, and the message names the variable to set.
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
    assert "DATABASE_URL" in run_script(script, from_scratch=True)


@as_root
@pytest.mark.parametrize(
    ("options", "reason"),
    [("ro", "its file system is read-only"), ("size=1m,nr_inodes=3", "no inodes left")],
)
def test_a_file_system_that_cannot_be_written_is_named(options: str, reason: str, tmp_path: Path):
    """
    The state of the file system is reported instead of its consequences.
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


def test_a_server_that_cannot_start_says_why(filled_home: Path):
    """
    The message has the last error of the log, and the path of the log.
    """
    with (filled_home / "data" / "postgresql.conf").open("a") as settings:
        settings.write("no_such_setting = 1\n")

    with pytest.raises(DatabaseNotReady, match=r"contains errors.*server\.log"):
        open_embedded(filled_home)


def test_a_path_that_cannot_be_a_home_is_named(tmp_path: Path):
    """
    Errors of the operating system become one error for the user, with the path.
    """
    (tmp_path / "file").touch()

    with pytest.raises(DatabaseNotReady, match=r"file/home.*YTS_HOME"):
        open_embedded(tmp_path / "file" / "home")
    with pytest.raises(DatabaseNotReady, match="characters"):
        open_embedded(tmp_path / "two\nlines")
