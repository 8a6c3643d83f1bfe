"""Settings: the command line comes before the environment, a file .env, and the defaults."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

import fetch_yts_data
import monitor_progress
import serve_movies
import test_db_connection
from cli.dotenv_file import KNOWN
from tests.support.paths import REPO
from tests.support.processes.commands import HERE, call
from tests.support.processes.programs import run_program

SCRIPT = "fetch_yts_data.py"


def config(*arguments: str, **options: Any) -> dict[str, tuple[str, str]]:
    """Return value and origin of each option."""
    done = call(SCRIPT, "--show-config", "--json", *arguments, **options)
    assert (done.returncode, done.stderr) == (0, "")
    lines = map(json.loads, done.stdout.splitlines())
    return {line["option"]: (line["value"], line["from"]) for line in lines}


def test_each_option_is_shown_with_the_origin_of_its_value(tmp_path: Path) -> None:
    """The command line wins over the environment, which wins over .env."""
    (tmp_path / ".env").write_text("YTS_THREADS=5\nYTS_RATE=1.5\nYTS_WORKERS=7\nPATH=/nowhere\n")

    options = config("--workers", "3", cwd=tmp_path, YTS_RATE="0.5")

    assert options["--workers"] == ("3", "command line")
    assert options["--rate"] == ("0.5", "environment: YTS_RATE")
    assert options["--threads"] == ("5", ".env: YTS_THREADS")
    assert options["--batch-size"] == ("1000", "default")
    assert options["--database-url"][0].startswith("the embedded server in ")


def test_the_environment_sets_no_option_of_a_query(mirror_url: URL) -> None:
    """Settings of other commands do not change the rows of a query, and give no warning."""
    plain = call("query_movies.py", "top", url=mirror_url)

    done = call("query_movies.py", "top", url=mirror_url, YTS_LIMIT="1", YTS_JSON="1")

    assert plain.stdout.count("\n") > 2
    assert (done.stdout, done.stderr) == (plain.stdout, "")


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """`--show-config` hides passwords of the environment and of options, also as JSON."""
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
def test_a_settings_file_may_have_the_form_of_other_systems(content: bytes, tmp_path: Path) -> None:
    """It may have line ends and a byte order mark of Windows, or the syntax of a shell."""
    (tmp_path / ".env").write_bytes(content)

    assert config(cwd=tmp_path)["--threads"] == ("5", ".env: YTS_THREADS")


@pytest.mark.parametrize(
    ("content", "message"),
    [(b"\xff\xfe\x00", "The file .env cannot be read"), (b"YTS_THREADS=many", "'many' is not")],
)
def test_an_invalid_settings_file_is_a_usage_error(
    content: bytes, message: str, tmp_path: Path
) -> None:
    """The message names the problem, and the command does nothing."""
    (tmp_path / ".env").write_bytes(content)

    done = call(SCRIPT, "--show-config", cwd=tmp_path)

    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def test_the_database_url_may_be_in_a_file(database_url: URL, tmp_path: Path) -> None:
    """DATABASE_URL_FILE names a file, as for secrets of containers; DATABASE_URL wins over it."""
    secret = tmp_path / "url"
    secret.write_text(database_url.render_as_string(hide_password=False) + "\n")
    env = {"DATABASE_URL_FILE": str(secret)}

    done = call("monitor_progress.py", "--once", **env)
    nowhere = {**env, "DATABASE_URL": "postgresql://localhost:9/none"}
    overridden = call("monitor_progress.py", "--once", **nowhere)

    assert (done.returncode, done.stderr) == (0, "")
    assert str(database_url.database) in done.stdout
    assert config(**env)["--database-url"][1] == "DATABASE_URL_FILE"
    assert overridden.returncode == 5


@pytest.mark.parametrize("content", [None, "", "mysql://me:s3cretly@host/db"])
def test_a_file_without_a_usable_url_is_a_usage_error(content: str | None, tmp_path: Path) -> None:
    """The file is missing or empty, or has another URL; the message contains no secret."""
    secret = tmp_path / "url"
    if content is not None:
        secret.write_text(content)

    done = call("monitor_progress.py", "--once", DATABASE_URL_FILE=str(secret))

    assert done.returncode == 2
    assert "s3cretly" not in done.stderr
    assert done.stderr.startswith("Error: ")


def test_the_error_for_an_unknown_option_names_the_closest_one(tmp_path: Path) -> None:
    done = call(SCRIPT, "--max-page", "3", YTS_HOME=str(tmp_path / "home"))

    assert done.returncode == 2
    assert "--max-pages" in done.stderr


def test_the_error_for_an_invalid_value_names_its_variable(tmp_path: Path) -> None:
    """The variable may be in the environment or in .env; click or the command may refuse it."""
    (tmp_path / ".env").write_text("YTS_THREADS=many\n")

    in_file = call(SCRIPT, cwd=tmp_path)
    found_by_command = call(SCRIPT, cwd=HERE, YTS_IDS="abc")
    typed = call(SCRIPT, "--ids", "abc", cwd=HERE)
    flag = call(SCRIPT, cwd=HERE, YTS_SANDBOX="maybe")

    assert "Invalid value of YTS_THREADS in .env: 'many'" in in_file.stderr
    assert "Invalid value of YTS_IDS in the environment: 'abc'" in found_by_command.stderr
    assert "'--ids': 'abc'" in typed.stderr or "--ids: 'abc'" in typed.stderr
    assert "Invalid value of YTS_SANDBOX in the environment: 'maybe'" in flag.stderr
    assert {done.returncode for done in (in_file, found_by_command, typed, flag)} == {2}


def test_an_unknown_variable_is_a_warning(tmp_path: Path) -> None:
    """One line names all unknown variables and the closest known ones; the command continues."""
    (tmp_path / ".env").write_text("YTS_MAX_PAGE=3\n")

    done = call(SCRIPT, "--show-config", cwd=tmp_path, YTS_COLOUR_OF_THE_SKY="blue")

    assert done.returncode == 0
    assert done.stderr == (
        "Warning: no setting of this program: YTS_COLOUR_OF_THE_SKY, "
        "YTS_MAX_PAGE in .env (did you mean YTS_MAX_PAGES?)\n"
    )


def test_the_variables_of_all_options_are_known() -> None:
    """The known variables are exactly those of the options of the commands."""
    commands = (
        fetch_yts_data.main, monitor_progress.main, serve_movies.main, test_db_connection.main
    )  # fmt: skip
    options = {
        f"YTS_{option.name.upper()}"
        for command in commands
        for option in command.params
        if option.expose_value and option.name
    }

    assert options | {"YTS_API_KEY", "YTS_HOME", "YTS_MODEL"} == KNOWN


@pytest.mark.parametrize(
    "variable", ["DATABASE_URL", pytest.param("YTS_DATABASE_URL", marks=pytest.mark.long)]
)
def test_every_command_reads_the_same_database(variable: str, tmp_path: Path) -> None:
    """All commands, and alembic, read it from .env; the error for a wrong URL names it."""
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
