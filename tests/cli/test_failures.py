"""`monitor_progress.py --failures`: what failed, why, and when it is tried again."""

import json
from collections.abc import Callable

import pytest
from sqlalchemy import URL

from database.bookkeeping.failures import Failure, record_failures
from database.db import DatabaseManager
from tests.support.commands import run
from tests.support.databases import run_sql

SCRIPT = "monitor_progress.py"
LONG = "a reason of many words, which does not fit into what is left of a line of 80 columns"


def record(db: DatabaseManager, *failures: Failure) -> None:
    """Put failures on record."""
    with db.get_session() as session:
        record_failures(session, failures)


def set_next_attempt(url: URL, key: str, time: str) -> None:
    """Set when a failure is tried again."""
    run_sql(url, f"UPDATE fetch_failures SET next_attempt_at = '{time}' WHERE key = '{key}'")


def test_the_table_says_all_and_fits_80_columns(db: DatabaseManager, database_url: URL) -> None:
    """
    Kind, key, stage, tries, next attempt in UTC, the whole reason; soonest first; what to type.
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
    """
    One object a line, none left out, with all that the ledger knows.
    """
    record(db, *(Failure("movie", str(n), "fetch", "Test", f"no {n}") for n in range(1, 1501)))
    set_next_attempt(database_url, "9", "2000-01-01")

    done = run(SCRIPT, "--json", "--once", "--failures", url=database_url)

    failures = [json.loads(line) for line in done.stdout.splitlines()]
    assert (done.returncode, len(failures)) == (0, 1500)
    assert {it["message_type"] for it in failures} == {"failure"}
    assert {it["key"] for it in failures} == {str(number) for number in range(1, 1501)}
    assert [it["key"] for it in failures if it["is_due"]] == [failures[0]["key"]] == ["9"]
    assert set(failures[0]) >= {"kind", "stage", "message", "attempts", "next_attempt_at"}
    assert run(SCRIPT, "--failures", url=database_url).stdout.count("\nmovie ") == 1500


@pytest.mark.parametrize("is_empty", [True, False])
def test_an_empty_ledger_is_said_to_be_empty(
    new_database: Callable[..., URL], *, is_empty: bool
) -> None:
    """
    With tables or without; as JSON it is no line at all.
    """
    url = new_database(is_empty=is_empty)

    as_text, as_json = (
        run(SCRIPT, "--failures", url=url),
        run(SCRIPT, "--failures", "--json", url=url),
    )

    assert (as_text.returncode, as_json.returncode) == (0, 0)
    assert as_text.stdout.startswith("No failures")
    assert as_json.stdout == as_text.stderr == as_json.stderr == ""


def test_reasons_cannot_steer_the_terminal(db: DatabaseManager, database_url: URL) -> None:
    """
    What YTS or PostgreSQL said may hold anything; a terminal gets none of its control characters.
    """
    nasty = "a \x1b[31m\x9b2J \u202eb\r\nc\t\x07"
    record(db, Failure("movie", "1", "save", "Test", nasty))

    as_text = run(SCRIPT, "--failures", url=database_url).stdout
    as_json = run(SCRIPT, "--failures", "--json", url=database_url).stdout

    assert "a [31m2J b c" in as_text
    assert as_text.replace("\n", "").isprintable()
    assert as_json.replace("\n", "").isprintable()
    assert json.loads(as_json)["message"] == nasty


def test_practice_failures_are_tried_again_with_the_practice_api(
    db: DatabaseManager, database_url: URL
) -> None:
    """
    Typing what is proposed must not replace practice data by the real catalogue; and it is about
    the database that was looked at, whose password stays out.
    """
    record(db, Failure("movie", "1", "fetch", "Test", "no"))
    run_sql(database_url, "INSERT INTO sync_state (source) VALUES ('sandbox')")
    typed = database_url.set(password="hidden-word").render_as_string(hide_password=False)

    done = run(SCRIPT, "--failures", "--database-url", typed)

    proposed = done.stdout.splitlines()[-1]
    assert " --retry-failed --sandbox --database-url " in proposed
    assert database_url.database in proposed
    assert "hidden-word" not in done.stdout


def test_no_database_is_exit_5(server_url: URL) -> None:
    """
    It is one look, and does not wait.
    """
    done = run(SCRIPT, "--failures", url=server_url.set(database="nowhere"))

    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (5, "", 1)


def test_titles_are_shown_where_they_are_known(db: DatabaseManager, database_url: URL) -> None:
    """
    Of movies that are stored; a page with the number of a movie is not that movie.
    """
    run_sql(database_url, "INSERT INTO movies (external_id, title) VALUES (7, 'Seven')")
    record(db, *(Failure(kind, "7", "fetch", "Test", "no") for kind in ("movie", "page")),
           Failure("movie", "8", "fetch", "Test", "no"))  # fmt: skip

    said = run(SCRIPT, "--failures", url=database_url).stdout
    failures = [json.loads(line) for line in
            run(SCRIPT, "--failures", "--json", url=database_url).stdout.splitlines()]  # fmt: skip

    assert said.count("Seven: no") == 1
    titles = {(it["kind"], it["key"]): it["title"] for it in failures}
    assert titles == {("movie", "7"): "Seven", ("movie", "8"): None, ("page", "7"): None}


def test_words_of_a_reason_stay_whole(db: DatabaseManager, database_url: URL) -> None:
    """
    Also those that are longer than the room for them, such as URLs, which are to be copied.
    """
    url = f"https://yts.gg/{'x' * 90}/a-b-c"
    record(db, Failure("movie", "7", "fetch", "Test", f"no answer from {url} in-time"))

    said = run(SCRIPT, "--failures", url=database_url, env={"COLUMNS": "80"}).stdout

    assert {url, "in-time"} <= set(said.split())


def test_a_limit_shows_the_first(db: DatabaseManager, database_url: URL) -> None:
    """
    Those that are tried again soonest, and the last runs; it is refused without a list.
    """
    record(db, *(Failure("movie", str(number), "fetch", "Test", "no") for number in range(1, 6)))
    set_next_attempt(database_url, "4", "2000-01-01")
    run_sql(database_url, *["INSERT INTO fetch_runs (command, phase) VALUES ('x', 'ended')"] * 5)

    failures = run(SCRIPT, "--failures", "--json", "--limit", "2", url=database_url).stdout
    runs = run(SCRIPT, "--history", "--json", "--limit", "2", url=database_url).stdout
    refused = run(SCRIPT, "--once", "--limit", "2", url=database_url)

    assert [json.loads(line)["key"] for line in failures.splitlines()] == ["4", "1"]
    assert [json.loads(line)["run_id"] for line in runs.splitlines()] == [5, 4]
    assert (refused.returncode, "--limit is for" in refused.stderr) == (2, True)
