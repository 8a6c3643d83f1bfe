"""`monitor_progress.py --failures`: the ledger as a table and as JSON Lines."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import URL

from database.bookkeeping.failures import Failure, record_failures
from database.db import DatabaseManager
from tests.support.databases import run_sql
from tests.support.processes.commands import call, run

SCRIPT = "monitor_progress.py"
#: Longer than the last column of a table of 80 columns.
LONG = "a reason of many words, which does not fit into what is left of a line of 80 columns"


def record(db: DatabaseManager, *failures: Failure) -> None:
    """Save *failures* in the ledger."""
    with db.get_session() as session:
        record_failures(session, failures)


def set_next_attempt(url: URL, key: str, time: str) -> None:
    """Set the time of the next attempt of the failures with *key*."""
    run_sql(url, f"UPDATE fetch_failures SET next_attempt_at = '{time}' WHERE key = '{key}'")


def test_the_table_shows_whole_failures_within_80_columns(
    db: DatabaseManager, database_url: URL
) -> None:
    """
    A row has kind, key, stage, attempts, next attempt and the whole reason, the soonest first.

    Times are in UTC in every time zone, and the last line is the command that retries.
    """
    record(
        db,
        Failure("movie", "77512", "save", "CheckViolation", LONG),
        Failure("page", "1551", "fetch", "YtsUnavailable", "YTS answered HTTP 503"),
    )
    record(db, Failure("movie", "7", "parse", "MalformedMovie", ""))
    set_next_attempt(database_url, "77512", "2999-12-31 23:30:00+02")
    set_next_attempt(database_url, "7", "2000-01-01")

    done = run(SCRIPT, "--failures", url=database_url, env={"TZ": "Asia/Tokyo", "COLUMNS": "80"})

    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == "3 failures, 1 due now; times in UTC"
    assert [line.split()[:4] for line in lines[2:5]] == [
        ["movie", "7", "parse", "1"],
        ["page", "1551", "fetch", "1"],
        ["movie", "77512", "save", "1"],
    ]
    assert "due now           MalformedMovie" in lines[2]
    assert "2999-12-31 21:30" in lines[4]
    start, end = lines[1].index("reason"), lines.index("Next:")
    reason = [line[start:] for line in lines[4:end]]
    assert LONG in " ".join(reason)
    assert max(map(len, lines[:end])) <= 80
    assert lines[-1].endswith("fetch_yts_data.py --retry-failed")


def test_json_has_every_failure_of_many(db: DatabaseManager, database_url: URL) -> None:
    """Each failure is one object with all columns of the ledger; no number of them is cut."""
    record(db, *(Failure("movie", str(n), "fetch", "Test", f"no {n}") for n in range(1, 1501)))
    set_next_attempt(database_url, "9", "2000-01-01")

    done = call(SCRIPT, "--json", "--once", "--failures", url=database_url)

    failures = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(failures)) == (0, 1500)
    assert {it["message_type"] for it in failures} == {"failure"}
    assert {it["key"] for it in failures} == {str(number) for number in range(1, 1501)}
    assert [it["key"] for it in failures if it["is_due"]] == [failures[0]["key"]] == ["9"]
    assert set(failures[0]) >= {"kind", "stage", "message", "attempts", "next_attempt_at"}
    assert call(SCRIPT, "--failures", url=database_url).stdout.count("\nmovie ") == 1500


@pytest.mark.parametrize("is_empty", [True, False])
def test_an_empty_ledger_has_a_message(new_database: Callable[..., URL], *, is_empty: bool) -> None:
    """The message comes with tables and without them; JSON output has no line."""
    url = new_database(is_empty=is_empty)

    as_text, as_json = (
        call(SCRIPT, "--failures", url=url),
        call(SCRIPT, "--failures", "--json", url=url),
    )

    assert (as_text.returncode, as_json.returncode) == (0, 0)
    assert as_text.stdout.startswith("No failures")
    assert as_json.stdout == as_text.stderr == as_json.stderr == ""


def test_reasons_reach_the_terminal_without_control_characters(
    db: DatabaseManager, database_url: URL
) -> None:
    """A message of YTS or PostgreSQL can contain any character; JSON output escapes them."""
    nasty = "a \x1b[31m\x9b2J \u202eb\r\nc\t\x07"
    record(db, Failure("movie", "1", "save", "Test", nasty))

    as_text = call(SCRIPT, "--failures", url=database_url).stdout
    as_json = call(SCRIPT, "--failures", "--json", url=database_url).stdout

    assert "a [31m2J b c" in as_text
    assert as_text.replace("\n", "").isprintable()
    assert as_json.replace("\n", "").isprintable()
    assert json.loads(as_json)["message"] == nasty


def test_the_suggested_retry_reads_the_same_source_and_database(
    db: DatabaseManager, database_url: URL
) -> None:
    """
    The command must not replace practice data by the real catalogue, so it has `--sandbox`.

    It names the database of the monitor, without its password.
    """
    record(db, Failure("movie", "1", "fetch", "Test", "no"))
    run_sql(database_url, "INSERT INTO sync_state (source) VALUES ('sandbox')")
    typed = database_url.set(password="hidden-word").render_as_string(hide_password=False)

    done = call(SCRIPT, "--failures", "--database-url", typed)

    suggested = done.stdout.splitlines()[-1]
    assert " --retry-failed --sandbox --database-url " in suggested
    assert database_url.database in suggested
    assert "hidden-word" not in done.stdout


def test_a_missing_database_is_exit_5(server_url: URL) -> None:
    """The list is read once, so the monitor does not wait for the database."""
    done = call(SCRIPT, "--failures", url=server_url.set(database="nowhere"))

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (5, "", 1)


def test_failures_of_stored_movies_have_their_titles(
    db: DatabaseManager, database_url: URL
) -> None:
    """A page whose number is the id of a movie does not get the title of this movie."""
    run_sql(database_url, "INSERT INTO movies (external_id, title) VALUES (7, 'Seven')")
    record(db, *(Failure(kind, "7", "fetch", "Test", "no") for kind in ("movie", "page")),
           Failure("movie", "8", "fetch", "Test", "no"))  # fmt: skip

    table = call(SCRIPT, "--failures", url=database_url).stdout
    lines = call(SCRIPT, "--failures", "--json", url=database_url).stdout.splitlines()
    failures = [json.loads(line) for line in lines]

    assert table.count("Seven: no") == 1
    titles = {(it["kind"], it["key"]): it["title"] for it in failures}
    assert titles == {("movie", "7"): "Seven", ("movie", "8"): None, ("page", "7"): None}


def test_long_words_of_a_reason_are_not_broken(db: DatabaseManager, database_url: URL) -> None:
    """A URL that is longer than its column stays in one piece, so that it can be copied."""
    url = f"https://yts.gg/{'x' * 90}/a-b-c"
    record(db, Failure("movie", "7", "fetch", "Test", f"no answer from {url} in-time"))

    table = call(SCRIPT, "--failures", url=database_url, COLUMNS="80").stdout

    assert {url, "in-time"} <= set(table.split())


def test_limit_keeps_the_first_rows(db: DatabaseManager, database_url: URL) -> None:
    """They are the failures with the soonest attempt, and the last runs; `--once` refuses it."""
    record(db, *(Failure("movie", str(number), "fetch", "Test", "no") for number in range(1, 6)))
    set_next_attempt(database_url, "4", "2000-01-01")
    run_sql(database_url, *["INSERT INTO fetch_runs (command, phase) VALUES ('x', 'ended')"] * 5)

    failures = call(SCRIPT, "--failures", "--json", "--limit", "2", url=database_url).stdout
    runs = call(SCRIPT, "--history", "--json", "--limit", "2", url=database_url).stdout
    refused = call(SCRIPT, "--once", "--limit", "2", url=database_url)

    assert [json.loads(line)["key"] for line in failures.splitlines()] == ["4", "1"]
    assert [json.loads(line)["run_id"] for line in runs.splitlines()] == [5, 4]
    assert (refused.returncode, "--limit is for" in refused.stderr) == (2, True)
