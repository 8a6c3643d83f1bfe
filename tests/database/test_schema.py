"""The tables come from migrations alone, which say the same as the models, both ways."""

import shutil
import subprocess
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
from database.schema import HEAD_REVISION, ensure_schema
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.programs import in_database, run_alembic
from tests.support.schema_facts import read_key_functions, read_schema, read_table_names

NewDatabase = Callable[..., URL]


def test_upgrade_downgrade_and_upgrade_give_the_same_tables(new_database: NewDatabase) -> None:
    """`downgrade` leaves nothing of ours but alembic's own empty table, so all can begin anew."""
    url = new_database(is_empty=True)

    assert run_alembic(url, "upgrade", "head").returncode == 0
    first = read_schema(url)
    assert run_alembic(url, "downgrade", "base").returncode == 0
    assert read_table_names(url) == {"alembic_version"}
    assert run_alembic(url, "upgrade", "head").returncode == 0

    assert read_schema(url) == first


def test_each_revision_can_be_taken_back_and_done_again(new_database: NewDatabase) -> None:
    """`downgrade -1` undoes one revision completely."""
    url = new_database()
    before = read_schema(url)

    assert run_alembic(url, "downgrade", "-1").returncode == 0
    assert read_schema(url) != before
    assert run_alembic(url, "upgrade", "+1").returncode == 0

    assert read_schema(url) == before


def test_migrations_equal_models(new_database: NewDatabase) -> None:
    """
    What the models would create is what the migrations created, to the last comment.

    `alembic check` leaves out server defaults, check constraints and more. How
    values are stored, views, and triggers with their functions, are the migrations' alone.
    """
    migrated, created = new_database(), new_database(is_empty=True)
    run_sql(created, "CREATE EXTENSION vector", *read_key_functions(migrated))
    engine = create_engine(created)
    Base.metadata.create_all(engine)
    engine.dispose()
    run_sql(migrated, "DROP TABLE alembic_version", "DROP VIEW movie_documents")

    ours, theirs = read_schema(migrated), read_schema(created)

    for kind in ours.keys() - {"storage", "triggers", "functions"}:
        assert ours[kind] == theirs[kind]


def test_alembic_check_is_clean_from_any_directory(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    """`alembic -c /.../alembic.ini` needs no particular working directory."""
    checked = run_alembic(new_database(), "-c", str(REPO / "alembic.ini"), "check", cwd=tmp_path)

    assert checked.returncode == 0, checked.stderr
    assert "No new upgrade operations" in checked.stdout


def test_the_offline_sql_makes_the_same_tables(new_database: NewDatabase) -> None:
    """An administrator may run `alembic upgrade head --sql`, for which no server is asked."""
    url = new_database(is_empty=True)
    nowhere = URL.create("postgresql", host="nowhere.invalid")

    script = run_alembic(nowhere, "upgrade", "head", "--sql")
    assert script.returncode == 0, script.stderr
    engine = create_engine(url)
    connection = engine.raw_connection()
    connection.cursor().execute(script.stdout)
    connection.commit()
    connection.close()
    engine.dispose()

    assert read_schema(url) == read_schema(new_database())


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """Copy what alembic needs, for a developer to change."""
    for name in ("alembic", "database", "yts"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(REPO / name, tmp_path / name, ignore=ignored)
    shutil.copy(REPO / "alembic.ini", tmp_path)
    return tmp_path


def _only_new_revision(workshop: Path) -> Path:
    known = {path.name for path in (REPO / "alembic/versions").glob("*.py")}
    (new,) = (it for it in (workshop / "alembic/versions").glob("*.py") if it.name not in known)
    return new


def test_autogenerate_finds_nothing_to_do(new_database: NewDatabase, workshop: Path) -> None:
    """A revision made from today's models is empty."""
    made = run_alembic(new_database(), "revision", "--autogenerate", "-m", "nothing", cwd=workshop)

    assert made.returncode == 0, made.stderr
    text = _only_new_revision(workshop).read_text()
    assert text.count("    pass\n") == 2
    assert "op." not in text


def test_autogenerate_writes_revisions_that_run(new_database: NewDatabase, workshop: Path) -> None:
    """A changed model is noticed; the new revision brings it, vectors too, and takes it back."""
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

    assert run_alembic(url, "check", cwd=workshop).returncode != 0
    made = run_alembic(url, "revision", "--autogenerate", "-m", "notes", cwd=workshop)
    assert made.returncode == 0, made.stderr
    up = run_alembic(url, "upgrade", "head", cwd=workshop)
    assert up.returncode == 0, up.stderr
    assert "notes" in read_table_names(url)
    assert run_alembic(url, "check", cwd=workshop).returncode == 0
    assert run_alembic(url, "downgrade", "-1", cwd=workshop).returncode == 0

    assert read_schema(url) == before


def test_the_known_head_is_the_newest_revision() -> None:
    """`HEAD_REVISION` spares every start the import of alembic; it must not lag behind."""
    scripts = ScriptDirectory.from_config(Config(REPO / "alembic.ini"))

    assert scripts.get_heads() == [HEAD_REVISION]


def test_the_folder_of_migrations_is_no_package() -> None:
    """An `__init__.py` in alembic/ would hide the library of that name."""
    assert not list((REPO / "alembic").rglob("__init__.py"))


def test_the_index_that_searches_rely_on_has_its_name_and_kind(database_url: URL) -> None:
    """Queries and documents name it."""
    definitions = {str(name): str(text) for name, text in read_schema(database_url)["indexes"]}

    assert "USING gin (search_vector)" in definitions["idx_movies_search"]


def test_search_vectors_are_read_with_their_rows(database_url: URL) -> None:
    """A long row stores its plots elsewhere, not what every match is ranked by."""
    assert ("movies", "search_vector", "m") in read_schema(database_url)["storage"]


def test_four_processes_may_migrate_an_empty_database_at_once(new_database: NewDatabase) -> None:
    """One migrates, the others wait for it, all go on."""
    url = new_database(is_empty=True)
    program = (
        "from database.db import get_db_manager\n"
        "import alembic.command\n"
        "print('ready', flush=True)\n"
        "input()\n"
        "get_db_manager().close_all()\n"
    )

    processes = [
        subprocess.Popen(
            [sys.executable, "-c", program],
            cwd=REPO,
            env={"PYTHONPATH": str(REPO), **in_database(url)},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(4)
    ]
    for process in processes:
        assert process.stdout
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        assert process.stdin
        process.stdin.write("go\n")
        process.stdin.flush()
    outputs = [process.communicate(timeout=60) for process in processes]

    assert [process.returncode for process in processes] == [0] * 4, outputs
    assert read_schema(url) == read_schema(new_database())


def test_newer_tables_are_refused_and_left_as_they_are(database_url: URL) -> None:
    """An old program must not touch what a newer one made."""
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
