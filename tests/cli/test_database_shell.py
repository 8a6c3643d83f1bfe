"""`database_shell.py`: run psql, pg_dump and other programs on the mirror."""

import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.config import parse_database_url, read_parameters
from database.embedded.server import open_embedded
from tests.support.paths import REPO
from tests.support.processes.commands import HERE, call, environment
from tests.support.processes.programs import run_program
from tests.support.servers.embedded_world import copy_data


def execute(*arguments: str, **values: str) -> Any:
    """Run `database_shell.py` with *arguments*; *values* are variables of its environment."""
    return run_program(
        [sys.executable, str(REPO / "database_shell.py"), *arguments], environment(**values), HERE
    )


@pytest.fixture(scope="module")
def first_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Any]:
    """Run psql on an embedded server that does not exist yet; return its folder, and the result."""
    home = tmp_path_factory.mktemp("embedded") / "home"
    query = "SELECT current_database()"
    return home, execute("psql", "-XAtc", query, YTS_HOME=str(home))


def test_psql_uses_the_embedded_server(first_run: tuple[Path, Any]) -> None:
    """The server is started for psql; options and exit codes are those of psql."""
    home, first = first_run

    wrong = execute("psql", "-XAtc", "SELECT nothing", YTS_HOME=str(home))

    assert (first.returncode, first.stdout) == (0, "yts\n")
    assert wrong.returncode == 1
    assert "nothing" in wrong.stderr


def test_an_embedded_mirror_is_restored_from_its_backup(
    first_run: tuple[Path, Any], tmp_path: Path
) -> None:
    """The commands of the page restore all rows in a new server, and the next fetch continues."""
    home, dump = tmp_path / "home", tmp_path / "mirror.dump"
    environment = {"YTS_HOME": str(home)}
    query = "SELECT count(*), max(updated_at), (SELECT count(*) FROM movie_casts) FROM movies"
    fetch = ("fetch_yts_data.py", "--sandbox", "--max-pages=1", "--no-embed", "--workers=1")

    copy_data(first_run[0], home)
    with open_embedded(home):  # All commands use this server, as beside a monitor.
        assert call(*fetch, **environment).returncode == 0
        before = execute("psql", "-XAtc", query, **environment)
        dumped = execute("pg_dump", "--format=custom", f"--file={dump}", **environment)
    shutil.rmtree(home)
    copy_data(first_run[0], home)
    options = ("--clean", "--if-exists", "--no-owner", "--dbname=yts")
    with open_embedded(home):
        restored = execute("pg_restore", *options, str(dump), **environment)
        after = execute("psql", "-XAtc", query, **environment)
        again = call(*fetch, **environment)

    assert dumped.returncode == 0
    assert (restored.returncode, restored.stderr) == (0, "")
    assert after.stdout == before.stdout
    assert before.stdout.startswith("50|")
    assert (again.returncode, "new movies            50" in again.stdout) == (0, True)


def test_any_program_gets_the_database_of_the_url(database_url: URL) -> None:
    """Everything in the URL becomes a variable of libpq."""
    url = database_url.update_query_dict({"sslmode": "disable"}).set(password="s3cret word")
    program = (
        "import os; print(*(os.environ['PG' + it] for it in ('DATABASE', 'PASSWORD', 'SSLMODE')))"
    )

    done = execute(sys.executable, "-c", program, DATABASE_URL=url.render_as_string(False))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{database_url.database} s3cret word disable\n"


def test_every_parameter_of_the_url_reaches_libpq(database_url: URL) -> None:
    """Several hosts and parameters without a variable of their own arrive; nothing is added."""
    socket = database_url.query["host"]
    parameters = {
        "host": [f"{socket}-none:5432", f"{socket}:5432"],
        "application_name": "mine",
        "keepalives_idle": "77",
        "options": "-c work_mem=5MB",
    }
    url = URL.create("postgresql", "postgres", database=database_url.database, query=parameters)
    program = "import os; print(*sorted(name for name in os.environ if name.startswith('PG')))"

    query = "SELECT current_setting('application_name'), current_setting('work_mem')"
    done = execute("psql", "-XAtc", query, DATABASE_URL=url.render_as_string())
    secure = url.update_query_dict({"channel_binding": "require", "require_auth": "scram-sha-256"})
    refused = execute("psql", "-XAtc", "SELECT 1", DATABASE_URL=secure.render_as_string())
    names = execute(sys.executable, "-c", program, DATABASE_URL=url.render_as_string())

    assert (done.returncode, done.stdout) == (0, "mine|5MB\n"), done.stderr
    assert refused.returncode == 2
    assert "requirement" in refused.stderr or "channel binding" in refused.stderr
    known = "PGDATABASE PGHOST PGPORT PGSERVICE PGSERVICEFILE PGUSER\n"
    assert names.stdout == known, names.stderr


def test_a_service_of_libpq_is_passed_on_without_other_parameters(
    database_url: URL, tmp_path: Path
) -> None:
    """Other parameters beside a service are refused, because the service would hide them."""
    services = tmp_path / "services"
    host, name = database_url.query["host"], database_url.database
    services.write_text(f"[mine]\nhost={host}\nport=5432\nuser=postgres\ndbname={name}\n")
    values = {"PGSERVICEFILE": str(services)}
    command = ("psql", "-XAtc", "SELECT current_database()")

    alone = execute(*command, DATABASE_URL="postgresql:///?service=mine", **values)
    mixed = execute(*command, DATABASE_URL="postgresql:///?service=mine&sslmode=require", **values)

    assert (alone.returncode, alone.stdout) == (0, f"{name}\n"), alone.stderr
    assert (mixed.returncode, mixed.stdout) == (2, "")
    assert "the service file" in mixed.stderr


def test_a_url_with_several_hosts_is_parsed_as_in_libpq() -> None:
    """Each host has its port, or an empty one."""
    url = parse_database_url("postgresql://me:p%40@h1:5432,h2/db?target_session_attrs=any")

    assert read_parameters(url) == {
        "user": "me",
        "password": "p@",
        "host": "h1,h2",
        "port": "5432,",
        "dbname": "db",
        "target_session_attrs": "any",
    }


def test_a_missing_program_is_an_error_with_the_exit_code_of_a_shell(database_url: URL) -> None:
    """The exit code is 127, and the message names the program."""
    done = execute("no-such-program", DATABASE_URL=database_url.render_as_string(False))

    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "Error: there is no program 'no-such-program'.\n"
