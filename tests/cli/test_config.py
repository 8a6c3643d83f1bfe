"""Settings: the command line, the environment, a file .env, defaults; in this order."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

import fetch_yts_data
import monitor_progress
import test_db_connection
from cli.dotenv_file import KNOWN
from tests.support.commands import HERE, call
from tests.support.paths import REPO
from tests.support.programs import run_program

SCRIPT = "fetch_yts_data.py"


def config(*arguments: str, **options: Any) -> dict[str, tuple[str, str]]:
    """Return value and origin of each option."""
    done = call(SCRIPT, "--show-config", "--json", *arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    lines = map(json.loads, done.stdout.splitlines())
    return {it["option"]: (it["value"], it["from"]) for it in lines}


def test_each_option_says_where_its_value_comes_from(tmp_path: Path) -> None:
    """The nearer to the user wins: what is typed, then the environment, then .env."""
    (tmp_path / ".env").write_text("YTS_THREADS=5\nYTS_RATE=1.5\nYTS_WORKERS=7\nPATH=/nowhere\n")

    told = config("--workers", "3", cwd=tmp_path, YTS_RATE="0.5")

    assert told["--workers"] == ("3", "command line")
    assert told["--rate"] == ("0.5", "environment: YTS_RATE")
    assert told["--threads"] == ("5", ".env: YTS_THREADS")
    assert told["--batch-size"] == ("500", "default")
    assert told["--database-url"][0].startswith("the embedded server in ")


def test_a_query_has_only_the_options_that_are_typed(mirror_url: URL) -> None:
    """A setting that another command knows changes no rows, and gives no warning."""
    plain = call("query_movies.py", "top", url=mirror_url)

    done = call("query_movies.py", "top", url=mirror_url, YTS_LIMIT="1", YTS_JSON="1")

    assert plain.stdout.count("\n") > 2
    assert (done.stdout, done.stderr) == (plain.stdout, "")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Wherever it was set, and in whatever form it is asked for."""
    urls = {"DATABASE_URL": "postgresql://me:s3cretly@host/movies"}
    typed = ("--api-url", "http://me:hidden9@host/api")

    for form in ((), ("--json",)):
        done = call(SCRIPT, "--show-config", *form, *typed, cwd=tmp_path, **urls)
        assert done.returncode == 0
        assert "s3cretly" not in done.stdout + done.stderr
        assert "hidden9" not in done.stdout + done.stderr
        assert "me:***@host" in done.stdout


@pytest.mark.parametrize(
    "content",
    [b"YTS_THREADS=5\r\n", b"\xef\xbb\xbfYTS_THREADS=5\n", b'export YTS_THREADS="5" # five\n'],
    ids=["Windows", "byte order mark", "shell"],
)
def test_a_settings_file_may_come_from_anywhere(content: bytes, tmp_path: Path) -> None:
    """Line ends of Windows, its byte order mark, and what a shell would read as well."""
    (tmp_path / ".env").write_bytes(content)

    assert config(cwd=tmp_path)["--threads"] == ("5", ".env: YTS_THREADS")


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"\xff\xfe\x00", "The file .env cannot be read"), (b"YTS_THREADS=many", "'many' is not")],
)
def test_a_settings_file_that_is_wrong_is_said(content: bytes, said: str, tmp_path: Path) -> None:
    """In a sentence, before anything is done."""
    (tmp_path / ".env").write_bytes(content)

    done = call(SCRIPT, "--show-config", cwd=tmp_path)

    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_the_url_may_lie_in_a_file(database_url: URL, tmp_path: Path) -> None:
    """As secrets of containers do; every command reads it, and DATABASE_URL goes before it."""
    secret = tmp_path / "url"
    secret.write_text(database_url.render_as_string(hide_password=False) + "\n")
    env = {"DATABASE_URL_FILE": str(secret)}

    done = call("monitor_progress.py", "--once", **env)
    nowhere = {**env, "DATABASE_URL": "postgresql://localhost:9/none"}
    before = call("monitor_progress.py", "--once", **nowhere)

    assert (done.returncode, done.stderr) == (0, "")
    assert str(database_url.database) in done.stdout
    assert config(**env)["--database-url"][1] == "DATABASE_URL_FILE"
    assert before.returncode == 5


@pytest.mark.parametrize("content", [None, "", "mysql://me:s3cretly@host/db"])
def test_a_file_without_a_url_is_said(content: str | None, tmp_path: Path) -> None:
    """Not there, empty, or of another kind: exit 2, and no secret in the sentence."""
    secret = tmp_path / "url"
    if content is not None:
        secret.write_text(content)

    done = call("monitor_progress.py", "--once", DATABASE_URL_FILE=str(secret))

    assert done.returncode == 2
    assert "s3cretly" not in done.stderr
    assert done.stderr.startswith("Error: ")


def test_an_unknown_option_brings_the_nearest(tmp_path: Path) -> None:
    """A typing error costs one more try."""
    done = call(SCRIPT, "--max-page", "3", YTS_HOME=str(tmp_path / "home"))

    assert done.returncode == 2
    assert "--max-pages" in done.stderr


def test_a_wrong_value_is_blamed_on_its_variable(tmp_path: Path) -> None:
    """Whether it stands in the environment or in .env, and whoever notices: nobody typed it."""
    (tmp_path / ".env").write_text("YTS_THREADS=many\n")

    in_file = call(SCRIPT, cwd=tmp_path)
    known_late = call(SCRIPT, cwd=HERE, YTS_IDS="abc")
    typed = call(SCRIPT, "--ids", "abc", cwd=HERE)
    flag = call(SCRIPT, cwd=HERE, YTS_SANDBOX="maybe")

    assert "Invalid value of YTS_THREADS in .env: 'many'" in in_file.stderr
    assert "Invalid value of YTS_IDS in the environment: 'abc'" in known_late.stderr
    assert "'--ids': 'abc'" in typed.stderr or "--ids: 'abc'" in typed.stderr
    assert "Invalid value of YTS_SANDBOX in the environment: 'maybe'" in flag.stderr
    assert {it.returncode for it in (in_file, known_late, typed, flag)} == {2}


def test_an_unknown_variable_is_a_warning(tmp_path: Path) -> None:
    """One line on stderr for all of them, with the nearest name; the command goes on."""
    (tmp_path / ".env").write_text("YTS_MAX_PAGE=3\n")

    done = call(SCRIPT, "--show-config", cwd=tmp_path, YTS_COLOUR_OF_THE_SKY="blue")

    assert done.returncode == 0
    assert done.stderr == (
        "Warning: no setting of this program: YTS_COLOUR_OF_THE_SKY, "
        "YTS_MAX_PAGE in .env (did you mean YTS_MAX_PAGES?)\n"
    )


def test_every_option_that_a_variable_can_set_is_known() -> None:
    """The list of known variables is that of the commands."""
    commands = (fetch_yts_data.main, monitor_progress.main, test_db_connection.main)
    options = {
        f"YTS_{option.name.upper()}"
        for command in commands
        for option in command.params
        if option.expose_value and option.name
    }

    assert options | {"YTS_HOME", "YTS_MODEL"} == KNOWN


@pytest.mark.parametrize("variable", ["DATABASE_URL", "YTS_DATABASE_URL"])
def test_every_command_reads_the_same_database(variable: str, tmp_path: Path) -> None:
    """In the environment or in .env: commands, modules and alembic; a wrong one is named."""
    (tmp_path / ".env").write_text(f"{variable}=mysql://me@host/x\n")
    commands = (
        [str(REPO / SCRIPT), "--ids=1"],
        [str(REPO / "monitor_progress.py"), "--once"],
        [str(REPO / "query_movies.py"), "stats"],
        [str(REPO / "test_db_connection.py")],
        [str(REPO / "database_shell.py")],
        [str(REPO / "embed_movies.py")],
        ["-m", "alembic", "-c", str(REPO / "alembic.ini"), "current"],
    )
    for command in commands:
        done = run_program([sys.executable, *command], {"PYTHONPATH": str(REPO)}, tmp_path)
        assert f"{variable} is for 'mysql'" in done.stderr + done.stdout, (command, done)
