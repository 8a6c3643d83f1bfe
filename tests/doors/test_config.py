"""Settings: the command line, the environment, a file .env, defaults; in this order."""

import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from tests.doors.commands import call

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
