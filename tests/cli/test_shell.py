"""What surrounds the commands: completion in shells, units of systemd."""

import re
import shutil
import sys
from pathlib import Path

import pytest

from tests.support.commands import call, environment, put_python
from tests.support.paths import REPO
from tests.support.programs import run_program

_COMPLETE = {
    "bash": """
        eval "$(_FETCH_YTS_DATA_PY_COMPLETE=bash_source ./fetch_yts_data.py)"
        COMP_WORDS=(./fetch_yts_data.py --log-f) COMP_CWORD=1
        $(complete -p fetch_yts_data.py | sed 's/.*-F \\([^ ]*\\).*/\\1/') ./fetch_yts_data.py
        echo "${COMPREPLY[@]}"
    """,
    # What its completion asks for, without a terminal to complete on.
    "zsh": """
        eval "$(_FETCH_YTS_DATA_PY_COMPLETE=zsh_source ./fetch_yts_data.py)" 2> /dev/null
        COMP_WORDS="fetch_yts_data.py --log-f" COMP_CWORD=1 \\
            _FETCH_YTS_DATA_PY_COMPLETE=zsh_complete ./fetch_yts_data.py | grep -e --
    """,
}


@pytest.mark.parametrize("shell", ["bash", "zsh"])
def test_shells_complete_options(shell: str, tmp_path: Path) -> None:
    """The page's own line does it, in a shell that has never heard of the program."""
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell} here")
    put_python(tmp_path)
    path = f"{tmp_path}:{environment()['PATH']}"

    done = run_program([shell, "-c", _COMPLETE[shell]], environment(PATH=path), REPO)

    assert done.stdout.split() == ["--log-file", "--log-format"], done.stderr


def test_the_units_start_what_there_is(tmp_path: Path) -> None:
    """Every command of the service is one that the program takes, in the folder it names."""
    unit = (REPO / "deploy" / "yts-mirror.service").read_text()
    started = re.findall(r"^ExecStart=/srv/yts-mirror/\.venv/bin/python (.*)$", unit, re.MULTILINE)

    assert len(started) == 2
    for command in started:
        script, *arguments = command.split()
        assert call(script, *arguments, "--show-config", cwd=tmp_path).returncode == 0


@pytest.mark.skipif(not shutil.which("systemd-analyze"), reason="there is no systemd here")
def test_systemd_takes_the_units(tmp_path: Path) -> None:
    """As it reads them, with a program that exists."""
    for unit in (REPO / "deploy").glob("yts-mirror*.*"):
        started = re.sub(r"/srv/yts-mirror/\.venv/bin/\w+", "/bin/true", unit.read_text())
        (tmp_path / unit.name).write_text(started)

    units = map(str, sorted(tmp_path.iterdir()))
    done = run_program(["systemd-analyze", "verify", *units], {}, tmp_path)

    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize("name", ["scheduler", "worker"])
def test_the_units_of_a_cluster_start_with_options_that_dask_has(name: str) -> None:
    """As this version of it lists them."""
    pytest.importorskip("distributed")
    unit = (REPO / "deploy" / f"yts-mirror-{name}.service").read_text()
    (started,) = re.findall(r"^ExecStart=/srv/yts-mirror/\.venv/bin/dask (.*)$", unit, re.MULTILINE)
    help_ = run_program([sys.executable, "-m", "dask", name, "--help"], environment(), REPO).stdout

    options = re.findall(r"--[\w-]+", started)
    assert len(options) >= 5
    assert {it for it in options if it not in help_} == set()
