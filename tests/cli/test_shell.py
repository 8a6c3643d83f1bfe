"""Completion in shells, and the units of systemd in `deploy/`."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.paths import REPO
from tests.support.processes.commands import call, environment, put_python
from tests.support.processes.programs import run_program

_COMPLETE = {
    "bash": """
        eval "$(_FETCH_YTS_DATA_PY_COMPLETE=bash_source ./fetch_yts_data.py)"
        COMP_WORDS=(./fetch_yts_data.py --log-f) COMP_CWORD=1
        $(complete -p fetch_yts_data.py | sed 's/.*-F \\([^ ]*\\).*/\\1/') ./fetch_yts_data.py
        echo "${COMPREPLY[@]}"
    """,
    # The request that its completion makes; real completion needs a terminal.
    "zsh": """
        eval "$(_FETCH_YTS_DATA_PY_COMPLETE=zsh_source ./fetch_yts_data.py)" 2> /dev/null
        COMP_WORDS="fetch_yts_data.py --log-f" COMP_CWORD=1 \\
            _FETCH_YTS_DATA_PY_COMPLETE=zsh_complete ./fetch_yts_data.py | grep -e --
    """,
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_complete_options(shell: str, tmp_path: Path) -> None:
    """The line in the documentation makes a new shell complete the options of the command."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    put_python(tmp_path)
    path = f"{tmp_path}:{environment()['PATH']}"

    done = run_program([shell, "-c", _COMPLETE[shell]], environment(PATH=path), REPO)

    assert done.stdout.split() == ["--log-file", "--log-format"], done.stderr


def test_the_units_start_existing_commands(tmp_path: Path) -> None:
    """The program accepts the arguments of every command of the service."""
    unit = (REPO / "deploy" / "yts-mirror.service").read_text()
    started = re.findall(r"^ExecStart=/srv/yts-mirror/\.venv/bin/python (.*)$", unit, re.MULTILINE)

    assert len(started) == 2
    for command in started:
        script, *arguments = command.split()
        assert call(script, *arguments, "--show-config", cwd=tmp_path).returncode == 0


def test_the_unit_of_the_server_uses_options_that_it_has(tmp_path: Path) -> None:
    """An option that does not exist is an error also beside `--help`."""
    unit = (REPO / "deploy" / "yts-mirror-server.service").read_text()
    (command,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    python, script, *arguments = command.split()

    assert python == "/srv/yts-mirror/.venv/bin/python"
    assert call(script, *arguments, "--help", cwd=tmp_path).returncode == 0
    assert call(script, *arguments, "--unknown", "--help", cwd=tmp_path).returncode == 2


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_accepts_the_units(tmp_path: Path) -> None:
    """systemd finds no error in the units, if the programs that they name exist."""
    for unit in (REPO / "deploy").glob("yts-mirror*.*"):
        started = re.sub(r"/srv/yts-mirror/\.venv/bin/\w+", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(started)

    units = map(str, sorted(tmp_path.iterdir()))
    done = run_program(["systemd-analyze", "verify", *units], {}, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["scheduler", "worker"])
def test_the_units_of_a_cluster_use_options_that_dask_has(name: str) -> None:
    """The installed version of dask lists each option in its help."""
    pytest.importorskip("distributed")
    unit = (REPO / "deploy" / f"yts-mirror-{name}.service").read_text()
    (started,) = re.findall(r"^ExecStart=/srv/yts-mirror/\.venv/bin/dask (.*)$", unit, re.MULTILINE)
    help_ = run_program([sys.executable, "-m", "dask", name, "--help"], environment(), REPO).stdout

    options = re.findall(r"--[\w-]+", started)
    assert len(options) >= 5
    assert {option for option in options if option not in help_} == set()
