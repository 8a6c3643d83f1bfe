"""The commands, the Python and the SQL of the pages are run as they are written there."""

import os
import re
import shlex
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import URL, PrimaryKeyConstraint, UniqueConstraint, create_engine, text

from database.models import Base
from sandbox.api.sandbox_server import Sandbox, open_sandbox
from sandbox.settings import SandboxSettings
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.commands import call, environment, put_python
from tests.support.processes.programs import Done, in_database, run_program

#: Commands that are not run here, and why.
ELSEWHERE = {
    "python3": "makes a virtual environment, as CI does",
    ".": "likewise",
    "pip": "likewise",
    "sudo": "systemd",
    "systemctl": "systemd",
    "export": "an example of a password",
    "python monitor_progress.py": "runs until Ctrl-C; see test_monitor.py",
    "python serve_movies.py": "likewise; see tests/web/test_command.py",
    "python serve_movies.py --sandbox": "likewise; see tests/web/test_practice.py",
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
    """Serve 340 practice movies as the real ones: much fewer than are stored are not believed."""
    with open_sandbox(SandboxSettings(movies=340)) as running:
        yield running


@pytest.mark.parametrize("page", ["README.md", "docs/tutorial.md", "docs/operations.md"])
def test_commands_do_what_the_pages_say(
    page: str, mirror_url: URL, practice: Sandbox, tmp_path: Path
) -> None:
    """
    All commands run on one mirror, in the order of the page; each ends with exit code 0 or 3.

    Fetches without `--sandbox` use a practice API instead of YTS.
    """
    url = copy_of(mirror_url, page)
    real = {"YTS_API_URL": practice.url, "YTS_RATE": "0"}
    shown = list(commands(page))
    assert len(shown) > 5
    for command in shown:
        python, script, *arguments = shlex.split(command)
        if "|" in command or python != "python" or not script.endswith(".py"):
            done = in_shell(command, url, tmp_path)
        elif script == "database_shell.py":
            arguments = [it.replace("--dbname=yts", f"--dbname={url.database}") for it in arguments]
            program = [sys.executable, str(REPO / script), *arguments]
            done = run_program(program, environment(**in_database(url)), tmp_path)
        else:
            variables = {} if "--sandbox" in arguments else real
            done = call(script, *arguments, url=url, cwd=tmp_path, **variables)
        assert done.returncode in {0, 3}, f"{command}: {done.stdout}{done.stderr}"


def copy_of(mirror_url: URL, page: str) -> URL:
    """Return a copy of the mirror for *page*, and create an empty database beside it."""
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
    """Run *command* in a shell whose working directory is *folder*."""
    put_python(folder / "bin")
    plain = url.set(drivername="postgresql")
    new = plain.set(database=f"{url.database}_new")
    values = {
        "DATABASE_URL": plain.render_as_string(hide_password=False),
        "NEW_DATABASE_URL": new.render_as_string(hide_password=False),
        "PATH": f"{folder / 'bin'}{os.pathsep}{os.environ['PATH']}",
    }
    command = command.replace(" database_shell.py", f" {REPO / 'database_shell.py'}")
    shell = ["bash", "-c", f"set -o pipefail; {command}"]
    return run_program(shell, environment(**values), folder)


@pytest.mark.parametrize("page", ["README.md", "docs/api.md"])
def test_the_python_of_the_pages_runs(page: str, mirror_url: URL, practice: Sandbox) -> None:
    """Each block is a program of its own, which prints something and no error."""
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
def test_the_queries_of_the_schema_run(query: str, mirror_url: URL) -> None:
    """Each returns rows of a mirror with movies, except the query for failures."""
    engine = create_engine(mirror_url)
    with engine.connect() as connection:
        rows = connection.execute(text(query)).all()
    engine.dispose()

    assert rows or "fetch_failures" in query


def test_the_diagram_is_that_of_the_models() -> None:
    """The page shows each new column and each changed comment."""
    done = run_program([sys.executable, ".ci/draw_schema.py", "--check"], {}, REPO)

    assert (done.returncode, done.stderr) == (0, "")


def test_the_relations_of_the_diagram_are_those_of_the_models() -> None:
    """One-to-one is drawn only if the foreign key is unique by itself, not with other columns."""
    page = (REPO / "docs/schema.md").read_text()
    drawn = set(re.findall(r"^  (\w+) \|\|--(o[|{]) (\w+) : (\w+)$", page, re.M))
    expected = set()
    for table in Base.metadata.tables.values():
        unique = [
            rule.columns.keys()
            for rule in table.constraints
            if isinstance(rule, PrimaryKeyConstraint | UniqueConstraint)
        ]
        for column in table.columns:
            end = "o|" if [column.key] in unique else "o{"
            for foreign in column.foreign_keys:
                expected.add((foreign.column.table.name, end, table.name, column.name))

    assert drawn == expected


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
    """docs/README.md links each page in docs; the list of decisions has a test of its own."""
    index = (REPO / "docs/README.md").read_text()
    linked = set(re.findall(r"\]\(([\w-]+\.md)\)", index))

    assert linked == {page.name for page in (REPO / "docs").glob("*.md")} - {"README.md"}
