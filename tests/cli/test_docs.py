"""What the pages show is what happens: their commands, their Python and their SQL are run."""

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, create_engine, text

from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.commands import call, environment, put_python
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.programs import Done, run_program

#: Commands that are for another machine or another test, and why.
ELSEWHERE = {
    "python3": "makes a virtual environment, as CI does",
    ".": "likewise",
    "pip": "likewise",
    "sudo": "systemd",
    "systemctl": "systemd",
    "export": "an example of a password",
    "python monitor_progress.py": "runs until Ctrl-C; see test_monitor.py",
}


def blocks(page: str, language: str) -> list[str]:
    """Return the code of *page* in *language*."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (REPO / page).read_text(), re.M | re.S)


def commands(page: str) -> Iterator[str]:
    """Yield the commands of *page* that can be run anywhere, without comments."""
    for block in blocks(page, "sh"):
        for line in block.splitlines():
            command = re.sub(r"\s+#.*", "", line)
            first = command.split()[0] if command else ""
            if command and not {command, first} & ELSEWHERE.keys() and ".venv/bin" not in command:
                yield command


@pytest.fixture(scope="module")
def practice() -> Iterator[Sandbox]:
    """Serve the movies of `--sandbox`, as the real ones."""
    with open_sandbox(SandboxSettings(movies=400)) as running:
        yield running


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/operations.md"])
def test_commands_do_what_the_pages_say(
    page: str, mirror_url: URL, practice: Sandbox, tmp_path: Path
) -> None:
    """
    In the order of the page, all on one mirror; each ends well.

    For "the real thing" stands a practice API that does not say so.
    """
    url = copy_of(mirror_url, page)
    real = {"YTS_API_URL": practice.url, "YTS_RATE": "0"}
    shown = list(commands(page))
    assert len(shown) > 5
    for command in shown:
        python, script, *arguments = shlex.split(command)
        is_plain = "|" not in command and script != "database_shell.py"
        if python == "python" and script.endswith(".py") and is_plain:
            told = {} if "--sandbox" in arguments else real
            done = call(script, *arguments, url=url, cwd=tmp_path, **told)
        else:
            done = in_shell(command, url, tmp_path)
        assert done.returncode in {0, 3}, f"{command}: {done.stdout}{done.stderr}"


def copy_of(mirror_url: URL, page: str) -> URL:
    """Return a database of its own for *page*, filled, and an empty one beside it."""
    name = "docs_" + re.sub(r"\W", "_", page.lower())
    run_sql(mirror_url.set(database="postgres"), f"CREATE DATABASE {name}_new")
    run_sql(
        mirror_url.set(database="postgres"),
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        f"WHERE datname = '{mirror_url.database}'",
        f"CREATE DATABASE {name} TEMPLATE {mirror_url.database}",
    )
    url = mirror_url.set(database=name)
    run_sql(url, "INSERT INTO sync_state (source) VALUES ('sandbox')")
    return url


def in_shell(command: str, url: URL, folder: Path) -> Done:
    """Run *command* as somebody who has typed it in *folder*."""
    put_python(folder / "bin")
    plain = url.set(drivername="postgresql")
    new = plain.set(database=f"{url.database}_new")
    values = {
        "DATABASE_URL": plain.render_as_string(hide_password=False),
        "NEW_DATABASE_URL": new.render_as_string(hide_password=False),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    # The name of the embedded database stands for the one that is meant.
    command = command.replace("--dbname=yts", f"--dbname={url.database}")
    command = command.replace(" database_shell.py", f" {REPO / 'database_shell.py'}")
    shell = ["bash", "-c", f"set -o pipefail; {command}"]
    return run_program(shell, environment(**values), folder)


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_python_runs(page: str, mirror_url: URL, practice: Sandbox) -> None:
    """Each piece by itself, as somebody who copies it."""
    values = {
        "DATABASE_URL": mirror_url.render_as_string(hide_password=False),
        "YTS_API_URL": practice.url,
    }
    pieces = blocks(page, "python")
    assert pieces
    for piece in pieces:
        done = run_program([sys.executable, "-c", piece], environment(**values), REPO)
        assert (done.returncode, done.stderr) == (0, ""), piece
        assert done.stdout


@pytest.mark.parametrize("query", blocks("docs/schema.md", "sql"), ids=lambda it: it[7:40])
def test_queries_run(query: str, mirror_url: URL) -> None:
    """Each has something to say of a mirror with movies, but the one that asks for failures."""
    engine = create_engine(mirror_url)
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    engine.dispose()

    assert rows or "fetch_failures" in query


def test_the_diagram_is_that_of_the_models() -> None:
    """A column that appears, or another comment, is seen on the page."""
    paracelsus = Path(sys.executable).with_name("paracelsus")
    done = run_program([str(paracelsus), "inject", "docs/schema.md", "--check"], {}, REPO)

    assert done.returncode == 0, "run: paracelsus inject docs/schema.md"


def test_every_section_of_the_api_that_a_test_names_is_on_the_page() -> None:
    """Section and quirk numbers of `docs/yts-api.md` do not change."""
    page = (REPO / "docs/yts-api.md").read_text()
    known = set(re.findall(r"^(?:#{2,3} |\*\*Quirk )(\d+(?:\.\d)?)", page, re.M))
    named = [
        (path.name, number)
        for path in sorted((REPO / "tests").rglob("*.py"))
        for reference in re.findall(
            r"docs/yts-api\.md,\s+((?:quirk|section)s? [^):]*)", path.read_text()
        )
        for number in re.findall(r"\d+(?:\.\d)?", reference)
    ]

    assert len(named) > 60
    assert [name for name in named if name[1] not in known] == []


def test_the_index_lists_every_page() -> None:
    """docs/README.md links each page beside it; that of decisions has a test of its own."""
    index = (REPO / "docs/README.md").read_text()
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", index))

    assert linked == {page.name for page in (REPO / "docs").glob("*.md")} - {"README.md"}
