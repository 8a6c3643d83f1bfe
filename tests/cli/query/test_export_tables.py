"""`query_movies.py export`: its tables and columns, and movies that are new or have changed."""

import csv
import io
import json
from collections import Counter
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL

from cli.query.export_tables import choose_table
from tests.support.databases import run_sql
from tests.support.processes.commands import call

Row = dict[str, Any]
TABLES = ("people", "roles", "torrents")


def export(url: URL, *options: str) -> list[Row]:
    """Return the JSON lines of an export."""
    done = call("query_movies.py", "export", "--json", *options, url=url)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def plain(row: Row) -> Row:
    """Return a row of Parquet with the values that JSON has."""
    return {name: it.isoformat() if isinstance(it, datetime) else it for name, it in row.items()}


def as_text(value: object) -> str:
    """Return a value of JSON as CSV has it."""
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@pytest.fixture(scope="module")
def shown(mirror_url: URL) -> list[Row]:
    """Return movies of one year with their people and torrents, as `top --json` shows them."""
    done = call("query_movies.py", "top", "--year", "1999", "--json", "--limit", "999",
                url=mirror_url)  # fmt: skip
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("table", TABLES)
def test_each_table_is_the_same_in_all_formats(table: str, mirror_url: URL, tmp_path: Path):
    """CSV, JSON Lines and Parquet have the same rows, values and columns in the same order."""
    parquet = pytest.importorskip("pyarrow.parquet")
    options = ["--table", table, "--rating", "8+"]
    lines = export(mirror_url, *options)
    text = call("query_movies.py", "export", *options, url=mirror_url).stdout
    file = tmp_path / "t.parquet"
    call("query_movies.py", "export", *options, "--output", str(file), url=mirror_url)

    assert len(lines) > 50
    assert [plain(it) for it in parquet.read_table(file).to_pylist()] == lines
    cells = [{name: as_text(it) for name, it in row.items()} for row in lines]
    assert list(csv.DictReader(io.StringIO(text))) == cells


def test_people_roles_and_torrents_are_those_of_the_movies_that_match(
    mirror_url: URL, shown: list[Row]
):
    """The tables have the same facts as the movies, with their ids at YTS."""
    roles = export(mirror_url, "--table", "roles", "--year", "1999")
    people = export(mirror_url, "--table", "people", "--year", "1999")
    torrents = export(mirror_url, "--table", "torrents", "--year", "1999")

    assert len(shown) > 2
    by_id = sorted(shown, key=lambda film: film["id"])
    assert roles == [
        {"movie_id": film["id"], "position": role["position"], "imdb_code": role["imdb_code"],
         "name": role["name"], "character_name": role["character_name"]}
        for film in by_id for role in film["casts"]
    ]  # fmt: skip
    assert Counter((it["movie_id"], it["name"]) for it in roles).most_common(1)[0][1] == 1
    assert {it["name"]: it["movies"] for it in people} == Counter(it["name"] for it in roles)
    columns = torrents[0].keys() - {"movie_id"}
    assert torrents == [
        {name: film["id"] if name == "movie_id" else torrent[name] for name in torrents[0]}
        for film in by_id for torrent in film["torrents"]
    ]  # fmt: skip
    assert columns == by_id[0]["torrents"][0].keys() - {"date_uploaded_unix"}


def test_columns_come_in_the_order_in_which_they_are_named(mirror_url: URL):
    """Movies have further columns than an export usually shows, such as the time of a change."""
    names = ["updated_at", "id", "genres", "yts_slug", "large_cover_image"]
    usual = export(mirror_url)
    rows = export(mirror_url, "--columns", ", ".join(names))

    assert [list(row) for row in rows] == [names] * len(usual)
    assert [row["genres"] for row in rows] == [row["genres"] for row in usual]
    assert all(datetime.fromisoformat(row["updated_at"]).tzinfo for row in rows)
    heads = [
        call("query_movies.py", "export", "--table", table, "--columns", column, url=mirror_url)
        for table, column in (("torrents", "hash"), ("people", "name"), ("movies", "title"))
    ]
    assert [done.stdout.splitlines()[0] for done in heads] == ["hash", "name", "title"]


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--columns", "id,titlle"], "The nearest is title"),
     (["--columns", "id,id"], "named twice"),
     (["--columns", "id,,title"], "not a list of columns"),
     (["--columns", ""], "not a list of columns"),
     (["--columns", "search_vector"], "no column 'search_vector'"),
     (["--table", "people", "--columns", "id"], "It has: imdb_code, name"),
     (["--table", "people", "--posters"], "--posters adds columns to the movies"),
     (["--columns", "id", "--posters"], "--posters adds columns to the movies")],
)  # fmt: skip
def test_columns_that_do_not_exist_are_refused(
    options: list[str], message: str, mirror_url: URL, tmp_path: Path
):
    """The exit code is 2, the message lists the columns, and no file is created."""
    done = call("query_movies.py", "export", *options, "--output", "m.csv",
                url=mirror_url, cwd=tmp_path)  # fmt: skip

    assert (done.returncode, done.stdout, message in done.stderr) == (2, "", True), done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "command",
    [("query_movies.py", "export", "--output"), ("monitor_progress.py", "--html"),
     ("monitor_progress.py", "--prometheus"), ("fetch_yts_data.py", "--log-file")],
)  # fmt: skip
def test_an_empty_name_of_a_file_is_refused(command: tuple[str, ...]):
    """It would name the working directory; the database is not opened."""
    done = call(*command, "")

    assert (done.returncode, done.stdout) == (2, "")
    assert "the name of the file is empty" in done.stderr


def test_an_export_can_have_what_is_new_or_changed_alone(new_database: Callable[..., URL]):
    """`--updated-since` has new movies too, so that one request is enough to follow a mirror."""
    url = new_database()
    run_sql(
        url,
        """INSERT INTO movies (external_id, title, created_at, updated_at) VALUES
           (1, 'Old', '2026-11-01Z', '2026-11-01Z'), (2, 'Changed', '2026-11-01Z', '2026-11-03Z'),
           (3, 'New', '2026-11-03Z', '2026-11-03Z')""",
        "INSERT INTO torrents (movie_id, hash) SELECT id, repeat(title, 9) FROM movies",
    )

    assert [it["id"] for it in export(url, "--added-since", "2026-11-02")] == [3]
    assert [it["id"] for it in export(url, "--updated-since", "2026-11-02")] == [2, 3]
    both = ("--added-since", "2026-11-01T01:00+01:00", "--updated-since", "2026-11-03T00:00Z")
    assert [it["id"] for it in export(url, *both)] == [2, 3]
    torrents = export(url, "--table", "torrents", "--updated-since", "2026-11-02")
    assert [it["movie_id"] for it in torrents] == [2, 3]
    assert export(url, "--added-since", "1s") == []


def test_an_export_of_changes_has_movies_that_yts_has_removed_and_says_so(
    new_database: Callable[..., URL],
):
    """
    `gone_since` is the last column; other exports have neither the column nor these movies.

    Torrents have no such column, so those of removed movies stay out.
    """
    url = new_database()
    run_sql(
        url,
        """INSERT INTO movies (external_id, title, created_at, updated_at, gone_since) VALUES
           (1, 'Gone', '2026-11-01Z', '2026-11-03Z', '2026-11-03Z'),
           (2, 'New', '2026-11-03Z', '2026-11-03Z', NULL)""",
        "INSERT INTO torrents (movie_id, hash) SELECT id, repeat(title, 9) FROM movies",
    )
    changes = ("--updated-since", "2026-11-02")

    rows = export(url, *changes, "--posters")
    assert [(it["id"], it["gone_since"]) for it in rows] == [
        (1, "2026-11-03T00:00:00+00:00"),
        (2, None),
    ]
    assert list(rows[0])[-1] == "gone_since"
    named = export(url, *changes, "--columns", "gone_since,id")
    assert named == [{name: row[name] for name in ("gone_since", "id")} for row in rows]
    assert [it["movie_id"] for it in export(url, "--table", "torrents", *changes)] == [2]
    everything = export(url)
    assert [it["id"] for it in everything] == [2]
    assert "gone_since" not in everything[0]


@pytest.mark.parametrize("table", ["movies", *TABLES])
def test_a_table_has_only_columns_that_can_be_read(table: Any, mirror_url: URL):
    """Every column of the list in the message of a wrong name can be exported."""
    with pytest.raises(ValueError, match="It has: ") as refusal:
        choose_table(table, ["none"], with_posters=False, with_gone=False)
    columns = str(refusal.value).partition("It has: ")[2].strip(".").replace(" ", "")

    rows = export(mirror_url, "--table", table, "--year", "1999", "--columns", columns)
    assert list(rows[0]) == columns.split(",")
