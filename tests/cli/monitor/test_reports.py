"""`monitor_progress.py`: --history, --max-age, --prometheus and --html."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import URL

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.db import DatabaseManager
from ingest.exit_codes import ExitCode
from sandbox.api.sandbox_server import Sandbox
from tests.support.databases import run_sql
from tests.support.processes.commands import call
from tests.support.runs import fetch

SCRIPT = "monitor_progress.py"
REPORTS = [("--history",), ("--max-age", "1h"), ("--prometheus", "x.prom")]


def add_run(url: URL, **values: str) -> None:
    """Insert the row of a run; *values* are SQL."""
    row = {"command": "'fetch'", "phase": "'ended'", **values}
    run_sql(url, f"INSERT INTO fetch_runs ({', '.join(row)}) VALUES ({', '.join(row.values())})")


def json_lines(done: Any) -> list[dict[str, Any]]:
    """Return the JSON lines of a command that printed no error."""
    assert done.stderr == ""
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_the_end_of_a_run_has_a_description_for_each_exit_code(db: DatabaseManager) -> None:
    """Only the code of old data is left out, because no run ends with it."""
    for code in set(ExitCode) - {ExitCode.STALE}:
        run_sql(db.url, "DELETE FROM fetch_runs")
        add_run(db.url, exit_code=str(int(code)), finished_at="now()")

        assert "exit code" not in call(SCRIPT, "--once", url=db.url).stdout


def test_the_history_has_every_run_and_its_state(
    db: DatabaseManager, small_sandbox: Sandbox, database_url: URL
) -> None:
    """Runs are running, killed or ended; the newest is first."""
    report = fetch(db, small_sandbox.url)
    add_run(
        database_url,
        started_at="now() - interval '90 s'",
        heartbeat_at="now() - interval '60 s'",
        phase="'details'",
    )
    killed = json_lines(call(SCRIPT, "--history", "--json", url=database_url))
    with hold_fetch_lock(db.engine):
        running = json_lines(call(SCRIPT, "--history", "--json", url=database_url))
        table = call(SCRIPT, "--history", url=database_url, COLUMNS="80").stdout

    assert [it["message_type"] for it in killed] == ["run", "run"]
    assert [it["state"] for it in killed] == ["killed", "ended"]
    assert killed[0]["seconds"] == pytest.approx(30, abs=1)
    assert running[0]["state"] == "running"
    assert running[0]["seconds"] > 89
    assert (running[1]["exit_code"], running[1]["requests"]) == (0, report.requests)
    lines = table.splitlines()
    assert lines[0].split() == ["began", "(UTC)", "took", "exit", "requests", "came", "to"]
    assert "running" in lines[1]
    assert lines[2].endswith("new 60, updated 60")
    assert max(map(len, lines)) <= 80


def test_only_a_complete_run_makes_the_mirror_fresh(
    db: DatabaseManager, small_sandbox: Sandbox, database_url: URL
) -> None:
    """Runs of given ids and runs that end at a limit of their own do not, with any exit code."""
    fetch(db, small_sandbox.url, ids=(range(1, 3),))
    fetch(db, small_sandbox.url, max_pages=1)
    fetch(db, small_sandbox.url, max_requests=3)
    stale = call(SCRIPT, "--max-age", "26h", url=database_url)

    fetch(db, small_sandbox.url)
    fresh = call(SCRIPT, "--max-age", "26h", url=database_url)

    assert (stale.returncode, stale.stdout) == (8, "")
    assert stale.stderr.startswith("Stale: no run was ever complete.")
    assert (fresh.returncode, fresh.stderr) == (0, "")
    assert fresh.stdout.startswith("Fresh: the last complete run ended ")


def test_a_mirror_grows_stale(database_url: URL) -> None:
    """The age is that of the last complete run; later failed runs do not matter."""
    end = "now() - interval '30 h'"
    add_run(database_url, finished_at=end, exit_code="3", is_complete="true")
    add_run(database_url, finished_at="now()", exit_code="4")

    young = call(SCRIPT, "--max-age", "31h", url=database_url)
    old = call(SCRIPT, "--max-age", "29h", url=database_url)
    (freshness,) = json_lines(call(SCRIPT, "--max-age", "29h", "--json", url=database_url))

    assert (young.returncode, old.returncode) == (0, 8)
    assert "30 h 0 min ago" in old.stderr
    assert "more than 29 h" in old.stderr
    assert freshness["age_seconds"] == pytest.approx(30 * 3600, abs=60)
    assert (freshness["is_fresh"], freshness["max_age_seconds"]) == (False, 29 * 3600)


def test_metrics_have_the_numbers_of_the_status(
    db: DatabaseManager, small_sandbox: Sandbox, database_url: URL, tmp_path: Path
) -> None:
    """The parser of Prometheus reads them, and no temporary file is left beside the file."""
    report = fetch(db, small_sandbox.url)
    file = tmp_path / "yts.prom"

    done = call(SCRIPT, "--prometheus", str(file), url=database_url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    families = text_string_to_metric_families(file.read_text())
    metrics = {
        it.name + "".join(it.labels.values()): it.value
        for family in families
        for it in family.samples
    }
    stats = db.get_stats()
    assert metrics["yts_movies"] == metrics["yts_movies_at_source"] == stats["total_movies"] == 60
    assert metrics["yts_movies_with_vectors"] == stats["movies_with_vectors"] == 0
    assert metrics["yts_run_moviessaved"] == report.counts.saved
    assert (metrics["yts_run_exit_code"], metrics["yts_fetch_running"]) == (0, 0)
    assert metrics["yts_complete_timestamp_seconds"] > metrics["yts_run_start_timestamp_seconds"]
    assert [it.name for it in tmp_path.iterdir()] == ["yts.prom"]


class Page(HTMLParser):
    """Parses HTML: its text, the URLs that a browser would load, and the open tags."""

    VOID = frozenset({"meta", "br", "img", "link", "polyline", "polygon", "th", "td"})

    def __init__(self, source: str) -> None:
        """Read *source*."""
        super().__init__()
        self.text = ""
        self.loads: list[str] = []
        self.open: list[str] = []
        self.feed(source)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Record the tag and its URLs."""
        self.loads += [str(it) for name, it in attrs if name in {"src", "href", "action"}]
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that the tag is the last one that was opened."""
        if tag not in self.VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Collect the text."""
        self.text += data


def test_the_html_page_loads_nothing(
    db: DatabaseManager, small_sandbox: Sandbox, database_url: URL, tmp_path: Path
) -> None:
    """The page shows the tables, has no URL to load, and escapes the names of genres."""
    report = fetch(db, small_sandbox.url)
    run_sql(database_url, "UPDATE genres SET name = '<b>Drama</b>' WHERE name = 'Drama'")
    file = tmp_path / "mirror.html"

    done = call(SCRIPT, "--html", str(file), url=database_url)

    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    source = file.read_text()
    page = Page(source)
    assert (page.loads, page.open) == ([], [])
    assert "url(" not in source
    assert "@import" not in source
    assert "<b>Drama</b>" in page.text
    assert "of about 60" in page.text
    assert re.search(rf"complete\s*{report.requests}(?!\d)", page.text)
    assert "not the catalogue of YTS" in page.text


def test_a_mirror_without_movies_has_a_page_too(database_url: URL, tmp_path: Path) -> None:
    """Empty tables do not cause a division by zero."""
    file = tmp_path / "mirror.html"

    assert call(SCRIPT, "--html", str(file), url=database_url).returncode == 0
    text = Page(file.read_text()).text
    assert "None yet." in text
    assert "There is nothing to show yet." in text


@pytest.mark.parametrize("arguments", REPORTS, ids=lambda it: it[0])
def test_an_empty_database_is_an_empty_mirror(
    arguments: tuple[str, ...], new_database: Callable[..., URL], tmp_path: Path
) -> None:
    """Before the first fetch every report works without tables."""
    done = call(SCRIPT, *arguments, url=new_database(is_empty=True), cwd=tmp_path)

    assert "Traceback" not in done.stderr
    assert done.returncode == (8 if arguments[0] == "--max-age" else 0)


def test_two_reports_at_once_are_refused() -> None:
    """Each report ends the monitor, so a second one would be lost."""
    done = call(SCRIPT, "--history", "--max-age", "1h")

    assert done.returncode == 2
    assert "--history and --max-age cannot be combined" in done.stderr


def test_a_file_that_cannot_be_written_is_an_error(database_url: URL, tmp_path: Path) -> None:
    """The message says why, without a traceback."""
    done = call(SCRIPT, "--html", str(tmp_path / "no" / "page.html"), url=database_url)

    assert done.returncode == 1
    assert "No such file or directory" in done.stderr
    assert "Traceback" not in done.stderr
