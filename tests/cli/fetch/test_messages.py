"""`--json`, `--log-file` and `--log-format` of a fetch: the messages and their fields."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.commands import call

SCRIPT = "fetch_yts_data.py"


def fetch_json(sandbox: Sandbox, url: URL, *more: str) -> tuple[list[dict[str, Any]], Any]:
    """Return the messages of a fetch, and the completed process."""
    done = call(SCRIPT, "--api-url", sandbox.url, "--rate", "0", "--json", *more, url=url)
    return [json.loads(line) for line in done.stdout.splitlines()], done


def documented() -> dict[str, set[str]]:
    """Return the fields of each message type in docs/messages.md."""
    page = (REPO / "docs" / "messages.md").read_text()
    sections = re.split(r"^### `(\w+)`$", page, flags=re.MULTILINE)[1:]
    return {
        name: set(re.findall(r"^\| `(\w+)`", text, flags=re.MULTILINE))
        for name, text in zip(sections[::2], sections[1::2], strict=True)
    }


def test_messages_have_the_fields_of_the_page(
    db: DatabaseManager, database_url: URL, small_sandbox: Sandbox
) -> None:
    """A fetch prints start, progress, failures and summary; their numbers agree."""
    run_sql(database_url, "ALTER TABLE movies ADD CONSTRAINT no_seven CHECK (external_id <> 7)")

    messages, done = fetch_json(small_sandbox, database_url)

    assert done.stderr == ""
    fields = documented()
    for message in messages:
        assert set(message) == fields[message["message_type"]] | {"message_type", "time"}
    kinds = [it["message_type"] for it in messages]
    assert (kinds[0], kinds[-1]) == ("start", "summary")
    assert kinds.count("failure") == messages[-1]["counts"]["failed"] == 1
    summary = messages[-1]
    assert summary["exit_code"] == done.returncode == 3
    assert summary["stats"] == db.get_stats()
    assert summary["retry"].endswith(
        f"fetch_yts_data.py --retry-failed --api-url {small_sandbox.url}"
    )


def test_an_error_that_ends_a_fetch_is_a_message(database_url: URL) -> None:
    """The message has the text of stderr and the exit code."""
    nowhere = "http://127.0.0.1:9/api/v2"
    done = call(SCRIPT, "--json", "--api-url", nowhere, "--timeout", "0.5", url=database_url)

    (*_, last) = map(json.loads, done.stdout.splitlines())
    assert set(last) == documented()["error"] | {"message_type", "time"}
    assert last["exit_code"] == done.returncode == 4
    assert last["message"] == done.stderr.strip()


def test_the_log_file_has_each_message_as_a_line_of_text(
    database_url: URL, small_sandbox: Sandbox, tmp_path: Path
) -> None:
    """Runs are appended, also with -q; lines begin with the time and have no colours."""
    log = tmp_path / "fetch.log"
    command = ("--api-url", small_sandbox.url, "--rate", "0", "-q", "--log-file", str(log))

    first = call(SCRIPT, *command, url=database_url)
    call(SCRIPT, *command, url=database_url)

    assert (first.stdout, first.stderr) == ("", "")
    lines = log.read_text().splitlines()
    times = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "
    assert all(re.match(times, line) for line in lines)
    kinds = [re.sub(times, "", line).split(":")[0] for line in lines]
    assert kinds.count("start") == kinds.count("summary") == 2
    assert "exit_code 0" in lines[-1]


def test_the_log_file_can_be_json_lines(
    database_url: URL, small_sandbox: Sandbox, tmp_path: Path
) -> None:
    """The format of the log does not change the output on the terminal."""
    log = tmp_path / "fetch.log"
    command = ("--api-url", small_sandbox.url, "--rate", "0", "--log-file", str(log))

    done = call(SCRIPT, *command, "--log-format", "json", url=database_url)

    kinds = [json.loads(line)["message_type"] for line in log.read_text().splitlines()]
    assert (kinds[0], kinds[-1]) == ("start", "summary")
    assert done.stdout.startswith("Done.")


@pytest.mark.parametrize("where", ["no/such/folder.log", "."])
def test_an_invalid_log_file_is_refused_at_once(where: str, tmp_path: Path) -> None:
    """Nothing is fetched, and no database is created."""
    done = call(SCRIPT, "--log-file", where, cwd=tmp_path, YTS_HOME=str(tmp_path / "home"))

    assert done.returncode == 2
    assert "--log-file" in done.stderr
    assert not (tmp_path / "home").exists()
