"""`database_shell.py`: PostgreSQL's own programs on the mirror."""

import shutil
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import URL

from database.config import parse_database_url, read_parameters
from database.embedded.server import open_embedded
from tests.support.commands import HERE, call, environment
from tests.support.paths import REPO
from tests.support.programs import run_program


def execute(*arguments: str, **values: str) -> Any:
    """Run a program on the mirror."""
    return run_program(
        [sys.executable, str(REPO / "database_shell.py"), *arguments], environment(**values), HERE
    )


def test_psql_meets_the_embedded_server(tmp_path: Path) -> None:
    """It is started for it, and stopped; the program's exit code is ours, its options are its."""
    home = {"YTS_HOME": str(tmp_path / "home")}

    answer = execute("psql", "-XAtc", "SELECT current_database()", **home)
    wrong = execute("psql", "-XAtc", "SELECT nothing", **home)

    assert (answer.returncode, answer.stdout) == (0, "yts\n")
    assert wrong.returncode == 1
    assert "nothing" in wrong.stderr


def test_an_embedded_mirror_comes_back_from_its_backup(tmp_path: Path) -> None:
    """Its folder is lost; the page's commands bring back each row, and the next fetch goes on."""
    home, dump = tmp_path / "home", tmp_path / "mirror.dump"
    told = {"YTS_HOME": str(home)}
    counted = "SELECT count(*), max(updated_at), (SELECT count(*) FROM movie_casts) FROM movies"
    fetch = ("fetch_yts_data.py", "--sandbox", "--max-pages=2", "--no-embed", "--workers=1")

    with open_embedded(home):  # Once for all, as beside a monitor.
        assert call(*fetch, **told).returncode == 0
        before = execute("psql", "-XAtc", counted, **told)
        assert execute("pg_dump", "--format=custom", f"--file={dump}", **told).returncode == 0
    shutil.rmtree(home)
    options = ("--clean", "--if-exists", "--no-owner", "--dbname=yts")
    with open_embedded(home):
        restored = execute("pg_restore", *options, str(dump), **told)
        after = execute("psql", "-XAtc", counted, **told)
        again = call(*fetch, **told)

    assert (restored.returncode, restored.stderr) == (0, "")
    assert after.stdout == before.stdout
    assert before.stdout.startswith("100|")
    assert (again.returncode, "new movies            100" in again.stdout) == (0, True)


def test_any_program_finds_the_database_of_the_url(database_url: URL) -> None:
    """Everything that the URL says is in libpq's variables."""
    url = database_url.update_query_dict({"sslmode": "disable"}).set(password="s3cret word")
    shown = (
        "import os; print(*(os.environ['PG' + it] for it in ('DATABASE', 'PASSWORD', 'SSLMODE')))"
    )

    done = execute(sys.executable, "-c", shown, DATABASE_URL=url.render_as_string(False))

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"{database_url.database} s3cret word disable\n"


def test_every_parameter_of_the_url_reaches_libpq(database_url: URL) -> None:
    """Several hosts, and what has no variable of its own: nothing vanishes, nothing is made up."""
    socket = database_url.query["host"]
    query = {
        "host": [f"{socket}-none:5432", f"{socket}:5432"],
        "application_name": "mine",
        "keepalives_idle": "77",
        "options": "-c work_mem=5MB",
    }
    url = URL.create("postgresql", "postgres", database=database_url.database, query=query)
    shown = "import os; print(*sorted(name for name in os.environ if name.startswith('PG')))"

    asked = "SELECT current_setting('application_name'), current_setting('work_mem')"
    done = execute("psql", "-XAtc", asked, DATABASE_URL=url.render_as_string())
    secure = url.update_query_dict({"channel_binding": "require", "require_auth": "scram-sha-256"})
    refused = execute("psql", "-XAtc", "SELECT 1", DATABASE_URL=secure.render_as_string())
    names = execute(sys.executable, "-c", shown, DATABASE_URL=url.render_as_string())

    assert (done.returncode, done.stdout) == (0, "mine|5MB\n"), done.stderr
    assert refused.returncode == 2
    assert "requirement" in refused.stderr or "channel binding" in refused.stderr
    known = "PGDATABASE PGHOST PGPORT PGSERVICE PGSERVICEFILE PGUSER\n"
    assert names.stdout == known, names.stderr


def test_a_service_of_libpq_is_passed_on_alone(database_url: URL, tmp_path: Path) -> None:
    """With other parameters it would hide them."""
    services = tmp_path / "services"
    host, name = database_url.query["host"], database_url.database
    services.write_text(f"[mine]\nhost={host}\nport=5432\nuser=postgres\ndbname={name}\n")
    values = {"PGSERVICEFILE": str(services)}
    asked = ("psql", "-XAtc", "SELECT current_database()")

    alone = execute(*asked, DATABASE_URL="postgresql:///?service=mine", **values)
    mixed = execute(*asked, DATABASE_URL="postgresql:///?service=mine&sslmode=require", **values)

    assert (alone.returncode, alone.stdout) == (0, f"{name}\n"), alone.stderr
    assert (mixed.returncode, mixed.stdout) == (2, "")
    assert "the service file" in mixed.stderr


def test_several_hosts_may_be_written_as_libpq_takes_them() -> None:
    """Each with its port, or without one."""
    url = parse_database_url("postgresql://me:p%40@h1:5432,h2/db?target_session_attrs=any")

    assert read_parameters(url) == {
        "user": "me",
        "password": "p@",
        "host": "h1,h2",
        "port": "5432,",
        "dbname": "db",
        "target_session_attrs": "any",
    }


def test_what_is_not_there_is_said(database_url: URL) -> None:
    """As a shell says it, and with its exit code."""
    done = execute("no-such-program", DATABASE_URL=database_url.render_as_string(False))

    assert (done.returncode, done.stdout) == (127, "")
    assert done.stderr == "Error: there is no program 'no-such-program'.\n"
