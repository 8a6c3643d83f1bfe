"""`query_movies.py new` and `changed`: what this mirror has stored or changed since a time."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import click
import pytest
from sqlalchemy import URL

from cli.query.filter_options import Since
from tests.support.databases import run_sql
from tests.support.processes.commands import call

TIMES = {
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    " 1.5 h ": timedelta(hours=1.5),
    "2026-11-27": datetime(2026, 11, 27, tzinfo=UTC),
    "2026-11-27T06:30": datetime(2026, 11, 27, 6, 30, tzinfo=UTC),
    "2026-11-27 06:30:01Z": datetime(2026, 11, 27, 6, 30, 1, tzinfo=UTC),
    # Both hours of the night in which the clocks of Paris go back.
    "2026-10-25T02:30+02:00": datetime(2026, 10, 25, 0, 30, tzinfo=UTC),
    "2026-10-25T02:30+01:00": datetime(2026, 10, 25, 1, 30, tzinfo=UTC),
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_in_utc_unless_it_has_an_offset(text: str):
    """Durations stay durations: what is now, only the database knows."""
    assert Since().convert(text, None, None) == TIMES[text]


@pytest.mark.parametrize(
    "text",
    ["", "yesterday", "2026", "20261127", "24", "-1h", "0s", "1y", "999999999w", "1.2.3h",
     "2026-02-30", "2026-11-27T25:00", "2026-11-27T06:30+25:00", "0001-01-01T00:00+14:00",
     "9999-12-31T23:00-14:00", "٣h"],
)  # fmt: skip
def test_a_text_that_is_not_a_time_is_refused(text: str):
    """A number without a unit is refused as well, because it may be meant as a year."""
    with pytest.raises(click.BadParameter, match=r"use for example|is not within"):
        Since().convert(text, None, None)


@pytest.fixture(scope="module")
def url(new_database: Callable[..., URL]) -> URL:
    """
    Return a database with movies that were stored 1, 3 and 50 hours ago, to be read only.

    Movies 3, 4 and 5 are of the last kind; 4 changed two hours ago, and 5 is gone for an hour.
    """
    url = new_database()
    run_sql(
        url,
        """INSERT INTO movies (external_id, title, created_at, updated_at, gone_since)
           SELECT id, 'Film ' || id, now() - stored * hour, now() - changed * hour,
               now() - gone * hour
           FROM (VALUES (1, 3, 3, NULL), (2, 1, 1, NULL), (3, 50, 50, NULL), (4, 50, 2, NULL),
                   (5, 50, 1, 1)) movies (id, stored, changed, gone),
               (VALUES (interval '1 hour')) hours (hour)""",
    )
    return url


def ids(done: Any) -> list[int]:
    """Return the ids of the JSON lines of a command that succeeded."""
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line)["id"] for line in done.stdout.splitlines()]


def test_new_and_changed_movies_are_listed_apart_the_last_ones_first(url: URL):
    """Each movie that is new or changed since a time is in exactly one of the two lists."""
    for since, new, changed in (("24h", [2, 1], [5, 4]), ("2h", [2], [5])):
        found = [
            ids(call("query_movies.py", command, "--since", since, "--json", url=url))
            for command in ("new", "changed")
        ]
        assert found == [new, changed]
    everything = call("query_movies.py", "new", "--since", "9w", "--json", url=url)
    assert ids(everything) == [2, 1, 4, 3], "a movie that is gone is not new"


def test_the_message_of_an_empty_list_has_the_time(url: URL):
    """A time that is still to come is not an error: the clock of the database may be ahead."""
    new = call("query_movies.py", "new", "--since", "2999-01-01", url=url)
    changed = call("query_movies.py", "changed", "--since", "2999-01-01T01:00+01:00", url=url)

    assert "No movie is new since 2999-01-01 00:00 UTC." in new.stderr
    assert "No movie has changed since 2999-01-01 00:00 UTC." in changed.stderr
    assert (new.stdout, changed.stdout) == ("", "")


def test_the_tables_show_when_and_what_is_gone(url: URL):
    """Without `--since` it is the last day."""
    new, changed = (call("query_movies.py", it, url=url).stdout for it in ("new", "changed"))

    assert new.splitlines()[0].split() == ["id", "title", "year", "rating", "genres", "stored"]
    assert [line.split()[0] for line in new.splitlines()[1:]] == ["2", "1"]
    first, second = changed.splitlines()[1:]
    assert first.split()[0] == "5"
    assert first.endswith("gone")
    assert second.split()[0] == "4"
    assert "gone" not in second


def test_a_page_says_that_there_are_more(url: URL):
    """The number of movies is not above the limit, and the next page has the others."""
    first = call("query_movies.py", "new", "--limit", "1", "--json", url=url)
    second = call("query_movies.py", "new", "--limit", "1", "--offset", "1", "--json", url=url)

    assert [json.loads(line)["id"] for line in first.stdout.splitlines()] == [2]
    assert "There are more movies" in first.stderr
    assert ids(second) == [1]


def test_a_page_past_the_end_says_that_the_list_has_no_more_movies(url: URL):
    """The message does not deny that there are new movies."""
    for command in (("new",), ("changed",), ("top",), ("search", "film")):
        done = call("query_movies.py", *command, "--offset", "400", url=url)

        assert (done.returncode, done.stdout) == (0, "")
        message = "The list has no movies after the first 400. Try a smaller --offset."
        assert done.stderr.splitlines()[-1] == message
        assert "No movie" not in done.stderr


def test_filters_choose_among_the_new_movies(url: URL):
    """The message for an empty list suggests to leave them out."""
    done = call("query_movies.py", "new", "--year", "1999", url=url)

    assert (done.returncode, done.stdout) == (0, "")
    assert "Try without the filters." in done.stderr
