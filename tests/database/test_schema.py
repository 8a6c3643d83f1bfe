"""Migrations create the tables, upgrade and downgrade them, and agree with the models."""

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from alembic.config import Config
from alembic.script import ScriptDirectory
from sqlalchemy import URL, create_engine

import database.bookkeeping.models  # noqa: F401 -- fills the metadata
from database.errors import DatabaseNotReady
from database.models import Base
from database.schema import HEAD_REVISION, ensure_schema, lock_migrations, read_revision
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.fork_server import start_python
from tests.support.processes.programs import ALEMBIC, in_database, run_alembic, run_program
from tests.support.schema_facts import read_key_functions, read_schema, read_table_names

NewDatabase = Callable[..., URL]


def test_upgrade_downgrade_and_upgrade_give_the_same_tables(new_database: NewDatabase) -> None:
    """`downgrade` to the base leaves only alembic's own empty table, so it can be repeated."""
    url = new_database(is_empty=True)

    assert run_alembic(url, "upgrade", "head").returncode == 0
    first = read_schema(url)
    assert run_alembic(url, "downgrade", "base").returncode == 0
    assert read_table_names(url) == {"alembic_version"}
    assert run_alembic(url, "upgrade", "head").returncode == 0

    assert read_schema(url) == first


def test_the_newest_revision_can_be_undone_and_repeated(new_database: NewDatabase) -> None:
    """`downgrade -1` undoes one revision completely."""
    url = new_database()
    before = read_schema(url)

    assert run_alembic(url, "downgrade", "-1").returncode == 0
    assert read_schema(url) != before
    assert run_alembic(url, "upgrade", "+1").returncode == 0

    assert read_schema(url) == before


def test_migrations_equal_models(new_database: NewDatabase) -> None:
    """
    The models would create the same tables as the migrations, including each comment.

    `alembic check` leaves out server defaults, check constraints and more. Only the migrations say
    how values are stored, and have views, statistics, and triggers with their functions.
    """
    migrated, created = new_database(), new_database(is_empty=True)
    run_sql(created, "CREATE EXTENSION vector", *read_key_functions(migrated))
    engine = create_engine(created)
    Base.metadata.create_all(engine)
    engine.dispose()
    run_sql(migrated, "DROP TABLE alembic_version", "DROP VIEW movie_documents")

    ours, theirs = read_schema(migrated), read_schema(created)

    for kind in ours.keys() - {"storage", "statistics", "targets", "triggers", "functions"}:
        assert ours[kind] == theirs[kind]


def test_alembic_check_is_clean_from_any_directory(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    """`alembic -c /.../alembic.ini` needs no particular working directory."""
    # From scratch, because alembic binds stdout when it is imported.
    command = [sys.executable, str(ALEMBIC), "-c", str(REPO / "alembic.ini"), "check"]
    checked = run_program(command, in_database(new_database()), tmp_path, from_scratch=True)

    assert checked.returncode == 0, checked.stderr
    assert "No new upgrade operations" in checked.stdout


def test_the_sql_for_an_empty_database_makes_the_same_tables(new_database: NewDatabase) -> None:
    """
    It is that of `alembic upgrade head --sql`, which an administrator may run without a program.
    """
    nowhere = URL.create("postgresql", host="nowhere.invalid")
    script = run_alembic(nowhere, "upgrade", "head", "--sql")
    assert script.returncode == 0, script.stderr
    assert script.stdout == (REPO / "alembic" / "all_migrations.sql").read_text(encoding="utf-8")

    url, migrated = new_database(is_empty=True), new_database(is_empty=True)
    engine = create_engine(url)
    ensure_schema(engine)
    engine.dispose()
    assert run_alembic(migrated, "upgrade", "head").returncode == 0

    assert read_schema(url) == read_schema(migrated)


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """Return a copy of the folders that alembic needs, which a test may change."""
    for name in ("alembic", "database", "yts"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPO / name, tmp_path / name, ignore=ignored)
    shutil.copy(REPO / "alembic.ini", tmp_path)
    return tmp_path


def _only_new_revision(workshop: Path) -> Path:
    known = {path.name for path in (REPO / "alembic/versions").glob("*.py")}
    (new,) = (
        path for path in (workshop / "alembic/versions").glob("*.py") if path.name not in known
    )
    return new


def _run_in_workshop(workshop: Path, url: URL, *commands: str) -> list[object]:
    """Run commands of alembic in one process, which imports the models of *workshop*."""
    program = (
        "import json, sys\n"
        "from alembic.config import main\n"
        "exit_codes = []\n"
        "for command in json.loads(sys.argv[1]):\n"
        "    try:\n"
        "        main(argv=command.split())\n"
        "        exit_codes.append(0)\n"
        "    except SystemExit as stop:\n"
        "        exit_codes.append(stop.code)\n"
        "print(json.dumps(exit_codes))\n"
    )
    command = [sys.executable, "-c", program, json.dumps(commands)]
    done = run_program(command, in_database(url), workshop, from_scratch=True)
    assert done.returncode == 0, done.stderr
    exit_codes: list[object] = json.loads(done.stdout.splitlines()[-1])
    return exit_codes


def test_autogenerate_finds_nothing_to_do(new_database: NewDatabase, workshop: Path) -> None:
    """A revision made from the current models is empty."""
    revise = "revision --autogenerate -m nothing"
    assert _run_in_workshop(workshop, new_database(), revise) == [0]

    text = _only_new_revision(workshop).read_text()
    assert text.count("    pass\n") == 2
    assert "op." not in text


def test_autogenerate_writes_revisions_that_run(new_database: NewDatabase, workshop: Path) -> None:
    """The revision of a changed model, with a vector, can be applied and undone."""
    url = new_database()
    before = read_schema(url)
    with (workshop / "database/models.py").open("a") as models:
        models.write(
            "\nclass Note(Base):\n"
            '    """A new table."""\n'
            '    __tablename__ = "notes"\n'
            "    id: Mapped[int] = mapped_column(primary_key=True)\n"
            "    meaning: Mapped[Any] = mapped_column(HALFVEC(8))\n"
        )

    check_before, *others = _run_in_workshop(
        workshop, url, "check", "revision --autogenerate -m notes", "upgrade head", "check"
    )
    assert check_before != 0
    assert others == [0, 0, 0]
    assert "notes" in read_table_names(url)
    assert _run_in_workshop(workshop, url, "downgrade -1") == [0]

    assert read_schema(url) == before


def test_the_known_head_is_the_newest_revision() -> None:
    """`HEAD_REVISION`, which saves each start the import of alembic, is the head."""
    scripts = ScriptDirectory.from_config(Config(REPO / "alembic.ini"))

    assert scripts.get_heads() == [HEAD_REVISION]


def test_the_folder_of_migrations_is_not_a_package() -> None:
    """An `__init__.py` in alembic/ would hide the library of that name."""
    assert not list((REPO / "alembic").rglob("__init__.py"))


def test_the_index_that_searches_rely_on_has_its_name_and_kind(database_url: URL) -> None:
    """Queries and documents name `idx_movies_search`."""
    definitions = {str(name): str(text) for name, text in read_schema(database_url)["indexes"]}

    assert "USING gin (search_vector)" in definitions["idx_movies_search"]


def test_search_vectors_are_read_with_their_rows(database_url: URL) -> None:
    """A long row stores its texts out of line, but not the vector that each match is ranked by."""
    assert ("movies", "search_vector", "m") in read_schema(database_url)["storage"]


def test_a_migration_that_was_waited_for_is_seen(new_database: NewDatabase) -> None:
    """PostgreSQL remembers within a transaction which names it has not found."""
    url = new_database(is_empty=True)
    engine = create_engine(url)
    with engine.connect() as connection:
        before = read_revision(connection)
        connection.commit()
        lock_migrations(connection)
        run_sql(url, "CREATE TABLE alembic_version AS SELECT '0001' AS version_num")
        after = read_revision(connection)
    engine.dispose()

    assert (before, after) == (None, "0001")


def test_four_processes_may_migrate_an_empty_database_at_once(new_database: NewDatabase) -> None:
    """One process migrates, the others wait for it, and all open the database."""
    url = new_database(is_empty=True)
    program = (
        "from database.db import get_db_manager\n"
        "import alembic.command\n"
        "import sys\n"
        "print('ready', flush=True)\n"
        "sys.stdin.read()\n"
        "get_db_manager().close_all()\n"
    )

    stdin, start = os.pipe()
    processes = [
        start_python(["-c", program], env={**os.environ, **in_database(url)}, cwd=REPO, stdin=stdin)
        for _ in range(4)
    ]
    os.close(stdin)
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    os.close(start)
    outputs = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert read_schema(url) == read_schema(new_database())


def test_newer_tables_are_refused_and_left_as_they_are(database_url: URL) -> None:
    """An old program does not change the tables of a newer one."""
    run_sql(
        database_url,
        "UPDATE alembic_version SET version_num = '9999'",
        "ALTER TABLE movies ADD COLUMN from_the_future int",
    )
    before = read_schema(database_url)
    engine = create_engine(database_url)

    with pytest.raises(DatabaseNotReady, match="9999"):
        ensure_schema(engine)
    engine.dispose()

    assert read_schema(database_url) == before
