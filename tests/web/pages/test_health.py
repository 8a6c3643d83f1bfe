"""The page of health: one sentence for each state of the mirror, its runs, and what failed."""

import re
from contextlib import nullcontext
from datetime import timedelta

import pytest
import requests
from sqlalchemy import URL

from database.bookkeeping.fetch_lock import hold_fetch_lock
from database.bookkeeping.rows import SUCCESSFUL_ENDS
from database.db import DatabaseManager
from database.monitoring.health import read_health
from database.monitoring.history import read_freshness
from ingest.exit_codes import ExitCode
from tests.support.data.movies import movie
from tests.support.databases import run_sql
from tests.support.servers.web_server import open_server
from web.display.wording import RUN_ENDS
from web.pages.health import FAILURES, RUNS

COMPLETE = "now() - interval '{age}', now() - interval '{age}', 0, true"


def add_run(url: URL, values: str) -> None:
    """Add a run: began, ended, exit code, whether it was complete; all as SQL."""
    run_sql(
        url,
        "INSERT INTO fetch_runs (command, phase, started_at, finished_at, exit_code, is_complete) "
        f"VALUES ('fetch', 'ended', {values})",
    )


def get(db: DatabaseManager, path: str = "/health") -> str:
    """Return the page."""
    with open_server(db) as root:
        response = requests.get(f"{root}{path}", timeout=20)
    assert response.status_code == 200, response.text
    return response.text


def sentence(page: str) -> str:
    """Return the sentence at the top."""
    found = re.search(r"<h1[^>]*>([^<]*)</h1>", page)
    assert found
    return found[1]


@pytest.mark.parametrize(
    ("runs", "state", "words"),
    [
        ([], "empty", "Empty: no fetch has run yet."),
        ([COMPLETE.format(age="25 h")], "fresh", r"Fresh: .* ended 25 h [0-9]+ min ago"),
        ([COMPLETE.format(age="27 h")], "stale", r"Stale: .* 27 h [0-9]+ min ago, .* 26 h"),
        (["now(), now(), 7, false"], "stale", "Stale: no run was ever complete."),
        (
            [COMPLETE.format(age="2 h"), "now(), now() - interval '1 h', 4, false"],
            "failing",
            "Failing: the last fetch ended early: YTS was unavailable, 1 h [0-9]+ min ago.",
        ),
        (["now(), NULL, NULL, false"], "failing", "Failing: the last fetch was killed"),
        (["now(), now(), 130, false"], "failing", "Failing: the last fetch was interrupted"),
    ],
)
def test_the_top_is_one_sentence_about_the_state(
    db: DatabaseManager, runs: list[str], state: str, words: str
):
    """The mirror is stale by the rule of `--max-age`; a last run that went wrong comes first."""
    for values in runs:
        add_run(db.url, values)
    page = get(db)

    assert re.match(words, sentence(page)), sentence(page)
    assert f"health-{state}" in page
    assert 'data-refresh-seconds="60"' in page
    assert "http-equiv" not in page


def test_a_fetch_that_runs_is_shown_at_once(db: DatabaseManager):
    """With its progress; the page is read again, also without JavaScript."""
    add_run(db.url, COMPLETE.format(age="1 h"))
    add_run(db.url, "now() - interval '90 s', NULL, NULL, false")
    run_sql(
        db.url,
        "UPDATE fetch_runs SET phase = 'details', details_read = 30, details_expected = 1200 "
        "WHERE finished_at IS NULL",
    )
    with hold_fetch_lock(db.engine):
        page = get(db)

    assert re.match(r"Running: .* for 1 min \d+ s, fetching details", sentence(page))
    assert "Fresh: the last complete run ended" in page
    assert "30 of 1,200" in page
    assert 'data-refresh-seconds="5"' in page
    assert '<noscript><meta http-equiv="refresh"' in page


@pytest.mark.parametrize("is_running", [True, False])
def test_the_state_is_that_of_the_monitor(db: DatabaseManager, is_running: bool):
    """The same rows, judged by the same code: fresh exactly if `--max-age` says so."""
    add_run(db.url, COMPLETE.format(age="5 h"))
    if is_running:
        add_run(db.url, "now(), NULL, NULL, false")
    for hours in (4, 6):
        age = timedelta(hours=hours)
        with hold_fetch_lock(db.engine) if is_running else nullcontext():
            with db.get_session() as session:
                health = read_health(session, age, max_runs=1, max_failures=1)
            assert health.freshness.is_within(age) == read_freshness(db).is_within(age)
            assert health.state == ("running" if is_running else "fresh" if hours == 6 else "stale")


def test_a_page_can_be_about_another_age(db: DatabaseManager):
    """For a mirror that is not fetched every night."""
    add_run(db.url, COMPLETE.format(age="100 h"))

    assert sentence(get(db)).startswith("Stale")
    assert sentence(get(db, "/health?max_age_hours=170")).startswith("Fresh")


def test_every_exit_code_of_a_run_has_words():
    """And those that the next run repairs by itself are the ones that a watchdog is told of."""
    assert {*RUN_ENDS} == {*ExitCode} - {ExitCode.STALE}
    assert {ExitCode.DONE, ExitCode.SOME_FAILED, ExitCode.LIMIT} == SUCCESSFUL_ENDS


def test_what_failed_is_listed_with_its_next_attempt(db: DatabaseManager):
    """A stored movie by its title, with its page; those that are tried first come first."""
    db.save_movie({**movie(7), "title": "Seven <Days>"})
    run_sql(
        db.url,
        "INSERT INTO fetch_failures (kind, key, stage, error_class, message, attempts, "
        "next_attempt_at) VALUES "
        "('page', '12', 'fetch', 'E', 'no answer', 2, now() + interval '90 min'), "
        "('movie', '7', 'parse', 'E', '<b>bad</b>', 1, now() - interval '1 min'), "
        "('movie', '99999999999999999999', 'parse', 'MalformedMovie', '', 1, now())",
    )
    page = get(db)

    listed = re.findall(r"<li>\n<p>(.*?)</p>\n<p class=\"failure-reason\">(.*?)</p>", page, re.S)
    texts = [re.sub(r"<[^>]+>", "", f"{head}: {reason}") for head, reason in listed]
    assert texts[0] == (
        "Seven &lt;Days&gt; parse failed once; the next fetch tries again: &lt;b&gt;bad&lt;/b&gt;"
    )
    assert texts[1].endswith(": MalformedMovie")
    assert re.match(r"page 12 fetch failed 2 times; tried again in 1 h (29|30) min, at ", texts[2])
    assert '<a href="/movies/7">' in page


def test_lists_are_short(db: DatabaseManager):
    """The page says how to see the others."""
    run_sql(
        db.url,
        "INSERT INTO fetch_failures (kind, key, stage, error_class, message, next_attempt_at) "
        f"SELECT 'page', n, 'fetch', 'E', 'm', now() FROM generate_series(1, {FAILURES + 5}) n",
        "INSERT INTO fetch_runs (command, phase, finished_at, exit_code) "
        f"SELECT 'fetch', 'ended', now(), 0 FROM generate_series(1, {RUNS + 5}) n",
    )
    page = get(db)

    assert page.count('class="failure-reason"') == FAILURES
    assert "And 5 more" in page
    assert page.count('<th scope="row">') == RUNS


def test_practice_data_are_marked(served: str):
    """On this page as on all others; `served` is a mirror of the sandbox."""
    page = requests.get(f"{served}/health", timeout=20).text

    assert ("Practice data" in page) == ("Practice data" in requests.get(served, timeout=20).text)
    assert not re.search(r"<style|\sstyle=|\son\w+=", page)


def test_practice_data_is_fetched_further_from_the_practice_api(db: DatabaseManager):
    """A fetch from YTS would remove it."""
    add_run(db.url, "now(), now(), 130, false")
    run_sql(db.url, "INSERT INTO sync_state (id, source) VALUES (1, 'sandbox')")

    assert "python fetch_yts_data.py --sandbox" in get(db)
