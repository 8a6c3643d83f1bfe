"""The questions as a user and as programs ask them."""

import csv
import io
import json
import re
from collections.abc import Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from cli.query.export import export
from database.db import DatabaseManager
from database.models import Movie
from tests.support.commands import call, start
from tests.support.databases import run_sql

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
    assert [int(line.split()[0]) for line in lines[1:]] == [it["id"] for it in told]
    assert told[0]["title"] == film.title
    assert {it["message_type"] for it in told} == {"movie"}
    assert told[0]["found_by"] == "title"
    assert "large_cover_image" not in told[0]
    (shown,) = rows(ask(mirror_url, "show", film.title, "--json", "--posters"))
    assert shown["large_cover_image"] == film.large_cover_image
    assert table.stderr == ""


def test_a_movie_is_named_by_title_id_or_code(mirror_url: URL, film: Movie):
    """All three show the same."""
    names = (
        [film.title],
        film.title.lower().split(),
        [f"{film.title} ({film.year})"],
        [f"{film.title} {film.year}"],
        [str(film.external_id)],
        [str(film.imdb_code)],
        [f"https://www.imdb.com/title/{film.imdb_code}/?ref_=nv_sr_1"],
        [f"m.imdb.com/title/{film.imdb_code}"],
        [str(film.url)],
        [f"{str(film.url).replace('yts.gg', 'yts.mx')}/?token=5MT#reviews"],
    )
    shown = {ask(mirror_url, "show", *name).stdout for name in names}

    assert len(shown) == 1
    assert shown.pop().startswith(f"{film.title} ({film.year})")


def ids_in(value: Any) -> Iterator[tuple[str, object]]:
    """Yield all fields of JSON that are called like an id, with their values."""
    if isinstance(value, dict):
        for name, it in value.items():
            if name == "id" or name.endswith("_id"):
                yield name, it
            yield from ids_in(it)
    elif isinstance(value, list):
        for it in value:
            yield from ids_in(it)


@pytest.mark.parametrize(
    "command",
    [("top",), ("search", "love"), ("similar", "1"), ("show", "1"),
     ("export", "--format", "jsonl"), ("export", "--json")],
    ids=" ".join,
)  # fmt: skip
def test_an_id_is_the_one_at_yts(mirror_url: URL, command: tuple[str, ...]):
    """Numbers of rows are shown nowhere; what lists print names the same movies elsewhere."""
    listed = rows(ask(mirror_url, *command, *([] if "export" in command else ["--json"])))
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        stored = {it.external_id: it for it in session.scalars(select(Movie))}
        assert any(it.id != number for number, it in stored.items())

    for row in listed[:30]:
        assert list(ids_in(row)) == [("id", row["id"])]
        assert stored[row["id"]].title == row["title"]
    (shown,) = rows(ask(mirror_url, "show", str(listed[-1]["id"]), "--json"))
    assert shown["title"] == listed[-1]["title"]


def test_each_listed_id_shows_its_movie(database_url: URL):
    """Also where another movie has the number as its title: that one is found with its year."""
    run_sql(database_url, "INSERT INTO movies (external_id, title, year) VALUES (7, 'Seven', 1995),"
            " (8, '7', 2001), (9, '$', 1971), (10, '...', NULL)")  # fmt: skip

    for name, title in (
        ("7", "Seven (1995)"), ("7 (2001)", "7 (2001)"), ("$", "$ (1971)"), ("$ 1971", "$ (1971)"),
        ("...", "..."), ("... (year unknown)", "..."),
    ):  # fmt: skip
        assert ask(database_url, "show", name).stdout.splitlines()[:1] == [title], name
    unknown = ask(database_url, "show", "?")
    assert (unknown.returncode, "No movie has '?'" in unknown.stderr) == (2, True)
    assert [it["id"] for it in rows(ask(database_url, "search", "$", "--json"))] == [9]


def test_pages_with_one_url_are_told_apart(database_url: URL):
    """YTS gives two movies one URL: both are named, and neither is shown for the other."""
    run_sql(database_url, "INSERT INTO movies (external_id, title, slug, url) VALUES "
            "(1, 'One', 'a-film-2001', 'https://yts.gg/movies/a-film-2001'), "
            "(2, 'Two', 'a-film-2001-2', 'https://yts.gg/movies/a-film-2001')")  # fmt: skip

    done = ask(database_url, "show", "https://yts.lt/movies/a-film-2001")

    assert done.returncode == 2
    assert "One" in done.stderr
    assert "Two" in done.stderr


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


def plain(row: Row) -> Row:
    """Return a row of Parquet as JSON has it."""
    return {name: it.isoformat() if isinstance(it, datetime) else it for name, it in row.items()}


def test_exports_agree_with_each_other(mirror_url: URL, tmp_path: Path):
    """The same movies and values in all three formats; a file comes whole or not at all."""
    parquet = pytest.importorskip("pyarrow.parquet")
    lines = rows(ask(mirror_url, "export", "--format", "jsonl"))
    table = list(csv.DictReader(io.StringIO(ask(mirror_url, "export").stdout)))
    ask(mirror_url, "export", "--output", str(tmp_path / "m.parquet"))
    stored = parquet.read_table(tmp_path / "m.parquet")
    columns = stored.to_pylist()
    assert str(stored.schema.field("date_uploaded").type) == "timestamp[us, tz=UTC]"

    assert len(lines) > 290
    assert [plain(it) for it in columns] == lines
    assert [list(it) for it in table] == [list(it) for it in lines]
    assert [it["genres"] for it in table] == ["; ".join(it["genres"]) for it in lines]
    assert [it["description"] for it in table] == [it["description"] or "" for it in lines]
    assert [it.name for it in tmp_path.iterdir()] == ["m.parquet"]


@pytest.mark.parametrize(
    ("options", "first"),
    [(["--output", "m.csv"], "id,"), (["--output", "m.JSONL"], "{"), (["--json"], "{"),
     (["--output", "m", "--format", "jsonl"], "{"), (["--output", "m"], "id,"),
     (["--output", "m.ndjson", "--json"], "{"), (["--output", "m.txt", "--format", "csv"], "id,")],
)  # fmt: skip
def test_the_name_tells_the_format(options: list[str], first: str, mirror_url: URL, tmp_path: Path):
    """Without --format; CSV where the name tells nothing."""
    done = call("query_movies.py", "export", *options, url=mirror_url, cwd=tmp_path)

    assert done.returncode == 0, done.stderr
    files = [it.read_text() for it in tmp_path.iterdir()]
    assert (files or [done.stdout])[0].startswith(first)


@pytest.mark.parametrize(
    "options",
    [["--json", "--format", "csv"], ["--json", "--output", "m.csv"], ["--output", "m.xlsx"],
     ["--format", "csv", "--output", "m.parquet"], ["--format", "jsonl", "--output", "M.CSV"],
     ["--excel", "--format", "jsonl"], ["--excel", "--output", "m.parquet"]],
    ids=" ".join,
)  # fmt: skip
def test_formats_that_contradict_each_other_are_refused(
    options: list[str], mirror_url: URL, tmp_path: Path
):
    """Before anything is opened or written."""
    done = call("query_movies.py", "export", *options, url=mirror_url, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


FORMULAS = ["=HYPERLINK(1)", "@midnight", "+1", "-1 day", "\t=1", " =1", "\r=1", "\uff1d1"]


def test_spreadsheets_read_texts_as_texts(database_url: URL):
    """With --excel no cell begins a formula, and the encoding is known; plain CSV stays exact."""
    for number, title in enumerate([*FORMULAS, "7", "A = B", "'quoted'"], start=1):
        quoted = title.replace("'", "''")
        run_sql(
            database_url, f"INSERT INTO movies (external_id, title) VALUES ({number}, '{quoted}')"
        )

    def titles(*options: str) -> list[str]:
        text = ask(database_url, "export", *options).stdout
        assert text.startswith("\ufeff") == bool(options)
        lines = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""))
        return [row["title"] for row in lines]

    assert titles() == [*FORMULAS, "7", "A = B", "'quoted'"]
    assert titles("--excel") == [*(f"'{it}" for it in FORMULAS), "7", "A = B", "'quoted'"]


@pytest.mark.parametrize("title", ["a\rb", "a\r\nb", "\r", "a\nb", 'a"\r"b', "a,b\r"])
def test_line_breaks_do_not_tear_rows(title: str):
    """Every reader of CSV gets the row that was written; a row ends in LF."""
    out = io.BytesIO()
    movie = Movie(external_id=1, title=title)
    monkey = pytest.MonkeyPatch()
    monkey.setattr("cli.query.export.open_output", lambda _: nullcontext(out))
    export([movie], "csv", None)
    monkey.undo()

    text = out.getvalue().decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["title"] == title
    assert text.endswith(",\n")
    assert "\r" not in text.replace(f'"{title.replace(chr(34), chr(34) * 2)}"', "")


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
    assert (similar.returncode, "embed_movies.py" in similar.stderr) == (2, True)
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
    ("option", "value"),
    [("--year", "nineties"), ("--rating", "9-1"), ("--runtime", "long"), ("--rating", "11+"),
     ("--rating", "-70"), ("--year", "3000"), ("--year", "99"), ("--year", "1990-9999")],
)  # fmt: skip
def test_a_range_that_is_none_is_refused_with_an_example(mirror_url: URL, option: str, value: str):
    """Before anything is asked."""
    done = ask(mirror_url, "top", option, value)

    assert done.returncode == 2
    assert re.search("for example|ends before it begins|is not within", done.stderr)


@pytest.mark.parametrize(
    ("option", "value", "near"),
    [("--genre", "Dramma", "Drama"), ("--language", "english", "en"), ("--quality", "4k", "2160p"),
     ("--quality", "1080", "1080p"), ("--language", "xx", None), ("--quality", "best", None)],
)  # fmt: skip
def test_a_value_that_no_movie_has_is_refused_with_the_nearest(
    mirror_url: URL, option: str, value: str, near: str | None
):
    """And with all that there are, instead of an empty list."""
    done = ask(mirror_url, "top", option, value)

    assert (done.returncode, done.stdout) == (2, "")
    assert repr(value) in done.stderr
    assert (f"The nearest is {near}; there are: " if near else ". There are: ") in done.stderr
    known = done.stderr.split("here are: ")[1].strip(" .\n").split(", ")
    assert rows(ask(mirror_url, "top", option, known[0].upper(), "--json"))


@pytest.mark.parametrize(
    "query",
    ["asdfghjklqwerty", "blorptangle snurf", "qwe rty uio", "1234567890123", "tt9999999",
     "Властелин колец", "七人の侍", "हिन्दी फिल्म", "한국 영화", "https://www.imdb.com/title/tt9999999/",
     "https://yts.gg/movies/no-such-movie-1999"],
)  # fmt: skip
def test_what_means_nothing_finds_nothing(mirror_url: URL, query: str):
    """Exit 0, clean stdout, and a line of help."""
    done = ask(mirror_url, "search", query)

    assert (done.returncode, done.stdout) == (0, "")
    assert "Nothing found" in done.stderr


def test_a_code_or_url_finds_its_movie_alone(mirror_url: URL, film: Movie):
    """Whoever writes it means one movie, and nothing beside it."""
    for query in (
        str(film.imdb_code),
        f"https://m.imdb.com/title/{film.imdb_code}/",
        str(film.url),
    ):
        (found,) = rows(ask(mirror_url, "search", query, "--json"))
        assert found["title"] == film.title
