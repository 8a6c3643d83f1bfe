"""
JSON output of every command, compared with the files in tests/golden/.

`UPDATE_GOLDEN=1` writes the files instead, after an intended change.
"""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.paths import REPO
from tests.support.processes.commands import call

GOLDEN = REPO / "tests" / "golden"
#: Fields whose values differ from run to run.
CHANGING = re.compile(
    r"time|\w+_at|(?:\w+_)?seconds|command|database|version|run_id|host|pid|retry|\w*_per_second"
    r"|next_request|slots?"
)
#: Queries: name of the file, and arguments.
QUERIES = {
    "search": ("search", "a", "night", "--limit", "3"),
    "similar": ("similar", "5", "--why", "--limit", "3"),
    "show": ("show", "5", "--posters"),
    "top": ("top", "--by", "newest", "--limit", "3"),
    "top-genre": ("top", "--by", "genre", "--limit", "3"),
    "new": ("new", "--limit", "2"),
    "stats": ("stats",),
    "export": ("export", "--year", "2000-2001", "--rating", "7+"),
}


def replaced(value: Any, name: str = "") -> Any:
    """Return *value* of the field *name* with a placeholder for what differs from run to run."""
    if CHANGING.fullmatch(name) and value is not None:
        return "..."
    if isinstance(value, dict):
        if value.get("message_type") == "progress":  # Their number depends on the time.
            return {key: it if key == "message_type" else "..." for key, it in value.items()}
        return {key: replaced(it, key) for key, it in value.items()}
    if isinstance(value, list):
        return [replaced(it) for it in value]
    if isinstance(value, str):
        value = re.sub(r"postgresql://\S+", "postgresql://...", value)
        return re.sub(r"127\.0\.0\.1:\d+", "127.0.0.1:PORT", value)
    return value


def compare(name: str, stdout: str) -> None:
    """Compare the JSON lines *stdout* with the golden file *name*; equal lines count once."""
    messages = map(json.loads, stdout.splitlines())
    lines = [json.dumps(replaced(message), ensure_ascii=False) for message in messages]
    lines = list(dict.fromkeys(lines))
    file = GOLDEN / f"{name}.jsonl"
    if os.environ.get("UPDATE_GOLDEN"):
        file.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")

    assert lines == file.read_text(encoding="utf-8").splitlines()


@pytest.mark.parametrize("name", QUERIES)
def test_a_query_writes_the_golden_lines(name: str, mirror_url: URL) -> None:
    """
    The practice data of one seed give the same fields, in the same order, with the same values.
    """
    done = call("query_movies.py", *QUERIES[name], "--json", url=mirror_url)

    assert done.returncode == 0, done.stderr
    compare(f"query-{name}", done.stdout)


def test_a_fetch_and_its_monitor_write_the_golden_lines(
    database_url: URL, sandbox: Sandbox, tmp_path: Path
) -> None:
    """
    The commands are a dry run, a run in which one movie fails, and each report of the monitor.
    """
    fetch = ("fetch_yts_data.py", "--api-url", sandbox.url, "--rate", "0", "--threads", "1",
             "--max-pages", "2", "--no-details", "--json")  # fmt: skip
    run_sql(
        database_url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN RAISE check_violation USING MESSAGE = 'seven is refused'; END $$",
        "CREATE TRIGGER refuse BEFORE INSERT ON movies FOR EACH ROW "
        "WHEN (NEW.external_id = 7) EXECUTE FUNCTION refuse()",
    )

    for name, code, command in (
        ("fetch-dry-run", 0, (*fetch, "--dry-run")),
        ("fetch", 3, fetch),
        ("fetch-show-config", 0, (*fetch, "--show-config")),
        ("monitor-once", 0, ("monitor_progress.py", "--once", "--json")),
        ("monitor-history", 0, ("monitor_progress.py", "--history", "--json")),
        ("monitor-failures", 0, ("monitor_progress.py", "--failures", "--json")),
        ("monitor-max-age", 8, ("monitor_progress.py", "--max-age", "1h", "--json")),
    ):
        done = call(*command, url=database_url, cwd=tmp_path)
        assert done.returncode == code, done.stderr
        compare(name, done.stdout)
