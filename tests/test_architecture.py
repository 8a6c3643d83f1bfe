"""Rules of the architecture: imports, effects, sizes, and pages that describe the code."""

import ast
import importlib
import re
from collections.abc import Iterator
from fnmatch import fnmatch
from functools import cache
from graphlib import CycleError, TopologicalSorter
from itertools import zip_longest
from pathlib import Path

import pytest

from tests.support.paths import REPO

COMMANDS = {
    "database_shell",
    "embed_movies",
    "fetch_yts_data",
    "monitor_progress",
    "query_movies",
    "serve_movies",
    "test_db_connection",
}
PACKAGES = {"yts", "database", "ingest", "embeddings", "sandbox", "web", "cli"}
#: Package: the packages of this project that it may import.
MAY_IMPORT = {
    "yts": set(),
    "sandbox": set(),
    "database": {"yts"},
    "ingest": {"database", "yts"},
    "embeddings": {"database"},
    "web": {"database", "embeddings", "yts"},
    "cli": {"ingest", "embeddings", "web", "database", "yts"},
    "alembic": {"database"},
    "commands": PACKAGES,
}
#: Library: the only places that may import it.
ONLY_IN = {
    "requests": {
        "yts/thread_session.py",
        "yts/connection_errors.py",
        "cli/fetch/ping.py",
    },
    "urllib3": {
        "yts/thread_session.py",
        "yts/connection_errors.py",
        "cli/fetch/ping.py",
    },
    "tenacity": {"database/connection/repeat.py"},
    "pydantic": {"yts/payload.py", "web/v1/", "web/pages/queries.py"},
    "pydantic_core": {
        "yts/responses.py",
        "web/v1/requests.py",
        "database/writing/payload_rows.py",
    },
    "multiprocessing": {
        "ingest/backends/processes.py",
        "ingest/backends/forked_server.py",
        "database/connection/parent_process.py",
    },
    "distributed": {"ingest/backends/dask_cluster.py"},
    "dask": {"ingest/backends/dask_worker.py"},
    "numpy": {"embeddings/"},
    "safetensors": {"embeddings/"},
    "tokenizers": {"embeddings/"},
    "pyarrow": {"cli/query/parquet.py"},
    "aiohttp": {"sandbox/", "web/"},
    "click": {"commands", "cli/", "sandbox/__main__.py"},
    "tqdm": {"commands", "cli/"},
    "rich": {"commands", "cli/"},
    "jinja2": {"cli/monitor/html_page.py", "web/"},
    "prometheus_client": {"cli/monitor/metrics.py", "web/metrics.py"},
    "dotenv": {"database/connection/env_file.py"},
    "sqlalchemy": {"database/", "alembic/"},
    "psycopg2": {"database/"},
    "alembic": {"database/schema.py", "alembic/"},
}
#: SQLAlchemy's names that are values, not SQL: other packages may hold them.
PLAIN_VALUES = {("sqlalchemy", "URL"), ("sqlalchemy", "Engine"), ("sqlalchemy.orm", "Session")}


@cache
def sources() -> list[Path]:
    """Return every Python file of the product."""
    modules = [path for name in [*PACKAGES, "alembic"] for path in (REPO / name).rglob("*.py")]
    return sorted([*modules, *(REPO / f"{name}.py" for name in COMMANDS)])


@cache
def parse(path: Path) -> ast.Module:
    """Return the syntax tree of *path*."""
    return ast.parse(path.read_text())


def imports(path: Path) -> list[tuple[str, str]]:
    """Return what *path* imports, as pairs of module and name; also inside functions."""
    found = []
    for node in ast.walk(parse(path)):
        if isinstance(node, ast.Import):
            found += [(alias.name, "") for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: imports name their package"
            found += [(str(node.module), alias.name) for alias in node.names]
    return found


def test_imports_point_one_way() -> None:
    """A package imports only packages below it, and a library only where its effect belongs."""
    offenders = []
    for path in sources():
        where = path.relative_to(REPO).as_posix()
        package = where.split("/")[0] if "/" in where else "commands"
        for module, name in imports(path):
            top = module.split(".")[0]
            is_upwards = top in PACKAGES - {package} and top not in MAY_IMPORT[package]
            is_elsewhere = (
                top in ONLY_IN
                and (module, name) not in PLAIN_VALUES
                and not any(where.startswith(it) or package == it for it in ONLY_IN[top])
            )
            if is_upwards or is_elsewhere:
                offenders.append(f"{where} imports {module} {name}")

    assert offenders == []


def test_only_commands_write_to_the_terminal() -> None:
    """Neither `print` nor `sys.stdout` is used anywhere else."""
    may_write = ("cli/", "sandbox/__main__", "alembic/")
    offenders = []
    for path in sources():
        where = path.relative_to(REPO).as_posix()
        if "/" in where and not where.startswith(may_write):
            calls = (node for node in ast.walk(parse(path)) if isinstance(node, ast.Call))
            names = {call.func.id for call in calls if isinstance(call.func, ast.Name)}
            if "print" in names or "sys.stdout" in path.read_text():
                offenders.append(where)

    assert offenders == []


def test_one_module_decides_which_characters_may_be_shown():
    """
    Others call `yts/printable.py`; only the embedded server checks the name of its directory.
    """
    found = {
        path.relative_to(REPO).as_posix()
        for path in sources()
        if ".isprintable(" in path.read_text()
    }
    assert found <= {"yts/printable.py", "database/embedded/server.py"}


def test_functions_fit_a_screen():
    """
    No function of the product is longer than forty lines, except migrations.
    """
    long = [
        f"{path.name}:{node.name}"
        for path in sources()
        for node in ast.walk(parse(path))
        if isinstance(node, ast.FunctionDef)
        and node.end_lineno is not None
        and node.end_lineno - node.lineno >= 40
        and "versions" not in path.parts
    ]

    assert long == []


def test_the_page_of_the_architecture_names_every_folder():
    """
    ARCHITECTURE.md lists all folders of the product and no others.
    """
    listed = set(re.findall(r"^\| `([\w/]+)/` ", (REPO / "ARCHITECTURE.md").read_text(), re.M))
    folders = {path.parent.relative_to(REPO).as_posix() for path in sources()}

    assert folders - {".", "alembic/versions"} <= listed
    assert {folder for folder in listed if not (REPO / folder).is_dir()} == set()


def test_every_module_has_a_docstring():
    """
    The first line of a docstring says what the module contains.
    """
    undocumented = [
        path.relative_to(REPO).as_posix()
        for path in sources()
        if not ast.get_docstring(parse(path))
    ]

    assert undocumented == []


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_the_page_of_options_has_the_options_of_help(name: str):
    """
    docs/options.md lists the options of each command and no others.
    """
    page = (REPO / "docs" / "options.md").read_text()
    section = re.split(r"^## ", page.split(f"## `{name}.py`")[1], flags=re.MULTILINE)[0]
    command = importlib.import_module(name).main
    params = [*command.params]
    for inner in getattr(command, "commands", {}).values():
        params += inner.params
    options = {it for param in params for it in param.opts if it.startswith("--")}

    assert set(re.findall(r"`(--[\w-]+)", section)) == options - {"--version"}


def test_every_decision_is_in_the_list():
    """
    docs/decisions/README.md links each page of the folders beside it.
    """
    folder = REPO / "docs" / "decisions"
    listed = set(re.findall(r"\((\S+\.md)\)", (folder / "README.md").read_text()))

    assert listed == {path.relative_to(folder).as_posix() for path in folder.glob("*/*.md")}
    assert [path.name for path in folder.glob("*.md")] == ["README.md"]


def test_the_migrations_are_not_a_package():
    """
    With an `__init__.py` the folder alembic/ would hide the library of that name.
    """
    assert not (REPO / "alembic" / "__init__.py").exists()


def test_every_guarantee_names_tests_that_exist():
    """
    docs/guarantees.md is updated when a test is renamed or removed.
    """
    named = set(re.findall(r"`(test_\w+)`", (REPO / "docs" / "guarantees.md").read_text()))
    defined = {
        name
        for path in (REPO / "tests").rglob("test_*.py")
        for name in re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE)
    }

    assert len(named) > 25
    assert named <= defined


def test_no_folder_has_an_import_cycle():
    """
    In each folder the imports between its modules and subfolders have a direction.

    Those of a subfolder count as imports of the subfolder; those inside functions count, too.
    """
    modules = {_dotted(path): path for path in sources() if path.name != "__init__.py"}
    graphs: dict[str, dict[str, set[str]]] = {}
    for importer, path in modules.items():
        for module, name in imports(path):
            imported = f"{module}.{name}" if f"{module}.{name}" in modules else module
            if imported in modules:
                folder, source, target = _siblings(importer, imported)
                if folder and source != target:
                    graphs.setdefault(folder, {}).setdefault(source, set()).add(target)
    cycles = {}
    for folder, graph in graphs.items():
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            cycles[folder] = error.args[1]

    assert cycles == {}


def test_no_folder_has_more_than_twenty_entries():
    """
    Below the top level, every listing can be read at a glance: code, tests, pages, measurements.
    """
    sizes = {folder.relative_to(REPO).as_posix(): len(entries(folder)) for folder in folders(REPO)}

    assert {"benchmarks", "docs/decisions", "tests/web", "web/v1"} <= sizes.keys()
    assert {folder: size for folder, size in sizes.items() if size > 20} == {}


def folders(parent: Path) -> Iterator[Path]:
    """Yield all folders below *parent*."""
    for folder in filter(Path.is_dir, entries(parent)):
        yield folder
        yield from folders(folder)


def entries(folder: Path) -> list[Path]:
    """Return what is in *folder*, except Git's own folder and what it ignores."""
    ignored = [".git", *(line.strip("/") for line in (REPO / ".gitignore").read_text().split())]
    return [
        it for it in folder.iterdir() if not any(fnmatch(it.name, pattern) for pattern in ignored)
    ]


def _dotted(path: Path) -> str:
    return ".".join(path.relative_to(REPO).with_suffix("").parts)


def _siblings(importer: str, imported: str) -> tuple[str, str, str]:
    """Return the folder that both are in, and its entries that each is, or is below."""
    pairs = list(zip_longest(importer.split("."), imported.split("."), fillvalue=""))
    depth = next((n for n, (one, other) in enumerate(pairs) if one != other), len(pairs) - 1)
    return ".".join(part for part, _ in pairs[:depth]), *pairs[depth]
