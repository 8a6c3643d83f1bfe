"""The questions as a user and as programs ask them."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from database.db import DatabaseManager
from database.models import Movie
from tests.conftest import run_sql
from tests.doors.commands import call, start

Row = dict[str, Any]


def ask(url: URL, *arguments: str) -> Any:
    """Ask within this process."""
    return call("query_movies.py", *arguments, url=url)


def rows(done: Any) -> list[Row]:
    """Return the JSON lines of an answer that went well."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def film(mirror_url: URL) -> Movie:
    """One movie whose title no other has."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        films = session.scalars(select(Movie).order_by(Movie.external_id)).all()
        titles = [it.title.lower() for it in films]
        return next(
            it for it in films
            if it.year and it.imdb_code and len(it.title) > 8
            and sum(title.startswith(it.title.lower()) for title in titles) == 1
        )  # fmt: skip


def test_a_search_is_a_table_for_people_and_lines_for_programs(mirror_url: URL, film: Movie):
    """The same movies in the same order; images only on demand."""
    table = ask(mirror_url, "search", film.title, "--limit", "5")
    told = rows(ask(mirror_url, "search", film.title, "--limit", "5", "--json"))

    lines = table.stdout.splitlines()
    assert lines[0].split()[:4] == ["id", "title", "year", "rating"]
    assert [int(line.split()[0]) for line in lines[1:]] == [it["external_id"] for it in told]
    assert told[0]["title"] == film.title
    assert {it["message_type"] for it in told} == {"movie"}
    assert told[0]["found_by"] == "title"
    assert "large_cover_image" not in told[0]
    (shown,) = rows(ask(mirror_url, "show", film.title, "--json", "--posters"))
    assert shown["large_cover_image"] == film.large_cover_image
    assert table.stderr == ""


def test_a_movie_is_named_by_title_id_or_code(mirror_url: URL, film: Movie):
    """All three show the same."""
    shown = {
        ask(mirror_url, "show", name).stdout
        for name in (film.title, str(film.external_id), film.imdb_code)
    }

    assert len(shown) == 1
    assert shown.pop().startswith(f"{film.title} ({film.year})")


def test_similar_says_why(mirror_url: URL, film: Movie):
    """What is shared is named; the movie itself is not among them."""
    done = ask(mirror_url, "similar", film.title, "--why", "--limit", "3")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split()[-1] == "why"
    assert len(done.stdout.splitlines()) == 4
    assert f"{film.external_id}  {film.title}" not in done.stdout


def test_what_is_not_found_says_what_was_tried(mirror_url: URL, film: Movie):
    """On stderr, with what comes near; data stays clean."""
    nothing = ask(mirror_url, "search", "love", "--year", "1800-1801")
    unknown = ask(mirror_url, "show", f"{film.title}q")
    genre = ask(mirror_url, "top", "--genre", "Dramma")
    empty = ask(mirror_url, "search", " ")

    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing found" in nothing.stderr
    assert "without the filters" in nothing.stderr
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert film.title in unknown.stderr
    assert (genre.returncode, "The nearest is Drama" in genre.stderr) == (2, True)
    assert (empty.returncode, "write a title" in empty.stderr) == (2, True)
    for done in (nothing, unknown, genre, empty):
        assert "Traceback" not in done.stderr


def test_an_ambiguous_title_lists_the_candidates(database_url: URL):
    """By their ids, so that one can be named."""
    run_sql(database_url, "INSERT INTO movies (external_id, title, year) VALUES (7, 'Twin', 1990), "
            "(8, 'TWIN', NULL)")  # fmt: skip

    done = ask(database_url, "show", "twin")

    assert done.returncode == 2
    assert "7  Twin (1990)" in done.stderr
    assert "8  TWIN (year unknown)" in done.stderr
    assert ask(database_url, "show", "8").returncode == 0


def test_groups_and_numbers_add_up(mirror_url: URL):
    """As counting the movies says; filters hold there as well."""
    movies = rows(ask(mirror_url, "export", "--format", "jsonl"))
    genres = rows(ask(mirror_url, "top", "--by", "genre", "--json"))
    old = rows(
        ask(mirror_url, "top", "--by", "decade", "--year", "-1999", "--json", "--limit", "99")
    )
    kinds = {it["message_type"] for it in rows(ask(mirror_url, "stats", "--json"))}

    for group in genres:
        assert group["movies"] == sum(group["genre"] in it["genres"] for it in movies)
    assert sum(it["movies"] for it in old) == sum((it["year"] or 3000) < 2000 for it in movies)
    assert kinds == {"month", "genre", "decade", "actor"}
    (best,) = rows(ask(mirror_url, "top", "--limit", "1", "--json"))
    assert best["rating"] == max(it["rating"] or 0 for it in movies)


def test_exports_agree_with_each_other(mirror_url: URL, tmp_path: Path):
    """The same movies and values in all three formats; a file comes whole or not at all."""
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = rows(ask(mirror_url, "export", "--format", "jsonl"))
    table = list(csv.DictReader(io.StringIO(ask(mirror_url, "export").stdout)))
    ask(mirror_url, "export", "--format", "parquet", "--output", str(tmp_path / "m.parquet"))
    columns = parquet.read_table(tmp_path / "m.parquet").to_pylist()

    assert len(lines) > 290
    assert columns == lines
    assert [list(it) for it in table] == [list(it) for it in lines]
    assert [it["genres"] for it in table] == ["; ".join(it["genres"]) for it in lines]
    assert [it["description"] for it in table] == [it["description"] or "" for it in lines]
    assert [it.name for it in tmp_path.iterdir()] == ["m.parquet"]


def test_titles_cannot_write_on_the_terminal(database_url: URL):
    """Control characters are left out of tables, and kept as JSON has them in exports."""
    run_sql(
        database_url, r"INSERT INTO movies (external_id, title) VALUES (1, E'A\x1b[2J\nB, \"C\"')"
    )

    assert "\x1b" not in ask(database_url, "top").stdout
    assert rows(ask(database_url, "export", "--format", "jsonl"))[0]["title"] == 'A\x1b[2J\nB, "C"'
    (row,) = csv.DictReader(io.StringIO(ask(database_url, "export").stdout))
    assert row["title"] == 'A\x1b[2J\nB, "C"'


def test_before_the_first_fetch_it_says_how_to_fill_the_mirror(
    new_database: Any, database_url: URL
):
    """Without tables, and without vectors; nothing is migrated by asking."""
    empty = new_database(is_empty=True)

    done = ask(empty, "top")
    assert done.returncode == 5
    assert "python fetch_yts_data.py" in done.stderr
    assert ask(empty, "top").returncode == 5

    run_sql(database_url, "INSERT INTO movies (external_id, title) VALUES (1, 'Alone')")
    similar = ask(database_url, "similar", "Alone")
    assert (similar.returncode, "discovery embed" in similar.stderr) == (2, True)
    words = ask(database_url, "search", "alone")
    assert "by words alone" in words.stderr
    assert "Alone" in words.stdout


def test_a_reader_that_has_seen_enough_is_no_error(mirror_url: URL):
    """`| head` ends it quietly."""
    process = start("query_movies.py", "export", "--format", "jsonl", url=mirror_url)
    process.stdout.readline()
    process.stdout.close()

    with process.stderr:
        assert process.stderr.read() == ""
    assert process.wait(timeout=30) == 0


@pytest.mark.parametrize(
    ("option", "value"), [("--year", "nineties"), ("--rating", "9-1"), ("--runtime", "long")]
)
def test_a_range_that_is_none_is_refused_with_an_example(mirror_url: URL, option: str, value: str):
    """Before anything is asked."""
    done = ask(mirror_url, "top", option, value)

    assert done.returncode == 2
    assert "for instance" in done.stderr or "ends before it begins" in done.stderr
