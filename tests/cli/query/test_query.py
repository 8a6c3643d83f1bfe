"""`query_movies.py`: searches, single movies, groups and exports, as text and as JSON."""

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import URL, select

from cli.query.export import write_rows
from database.db import DatabaseManager
from database.models import Movie
from tests.support.data.movies import movie
from tests.support.databases import run_sql
from tests.support.processes.commands import call, start

Row = dict[str, Any]
LONG = pytest.mark.long


def ask(url: URL, *arguments: str) -> Any:
    """Run `query_movies.py` in this process."""
    return call("query_movies.py", *arguments, url=url)


def rows(done: Any) -> list[Row]:
    """Return the JSON lines of a command that succeeded."""
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def film(mirror_url: URL) -> Movie:
    """Return a movie whose title is not the beginning of another title."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        films = session.scalars(select(Movie).order_by(Movie.external_id)).all()
        titles = [it.title.lower() for it in films]
        return next(
            it for it in films
            if it.year and it.imdb_code and len(it.title) > 8
            and sum(title.startswith(it.title.lower()) for title in titles) == 1
        )  # fmt: skip


@pytest.fixture(scope="module")
def few_movies(new_database: Callable[..., URL]) -> URL:
    """Return a database with four movies, one of them with unknown values, to be read only."""
    url = new_database()
    with DatabaseManager(url) as db:
        for number, value in ((1, 5), (2, 7), (3, 6)):
            uploaded = 1446346286 + value
            db.save_movie(
                movie(
                    number, title=f"Film {value}", year=2000 + value, rating=value,
                    like_count=10 - value, date_uploaded_unix=uploaded,
                )
            )  # fmt: skip
        unknown = {"year": 0, "rating": 0, "like_count": None}
        dates = {"date_uploaded": None, "date_uploaded_unix": None}
        db.save_movie(movie(4, **unknown, **dates))
    return url


def test_a_search_prints_a_table_or_json_lines(mirror_url: URL, film: Movie):
    """Both have the same movies in the same order; images are only in JSON with --posters."""
    table = ask(mirror_url, "search", film.title, "--limit", "5")
    found = rows(ask(mirror_url, "search", film.title, "--limit", "5", "--json"))

    lines = table.stdout.splitlines()
    assert lines[0].split()[:4] == ["id", "title", "year", "rating"]
    assert [int(line.split()[0]) for line in lines[1:]] == [it["id"] for it in found]
    assert found[0]["title"] == film.title
    assert {it["message_type"] for it in found} == {"movie"}
    assert found[0]["found_by"] == "title"
    assert "large_cover_image" not in found[0]
    (shown,) = rows(ask(mirror_url, "show", film.title, "--json", "--posters"))
    assert shown["large_cover_image"] == film.large_cover_image
    assert table.stderr == ""


def test_a_search_can_be_explained(mirror_url: URL):
    """The parts of a score are columns, whose heads have the weights; JSON has both."""
    query = ("search", "ship", "lost", "at", "sea", "--explain", "--limit", "3")
    lines = ask(mirror_url, *query).stdout.splitlines()
    (first, *_) = rows(ask(mirror_url, *query, "--json"))

    assert lines[0].endswith("score  words x 22  title x 7  meaning x 15  likes x 7")
    assert lines[1].split()[-5] == f"{first['score']:.3f}"
    assert first["parts"]["words"] == {"value": pytest.approx(1, abs=1), "weight": 22}
    assert first["score"] == pytest.approx(
        sum(part["value"] * part["weight"] for part in first["parts"].values()) / 51, abs=0.001
    )


@pytest.mark.parametrize("direction", [(), ("--desc",)])
@pytest.mark.parametrize("sort", ["id", "title", "year", "rating", "likes", "uploaded"])
def test_lists_and_exports_are_sorted(few_movies: URL, sort: str, direction: tuple[str, ...]):
    """A list has the same movies as without; unknown values are last in both directions."""
    name = {"likes": "like_count", "uploaded": "date_uploaded"}.get(sort, sort)
    plain = rows(ask(few_movies, "top", "--by", "likes", "--limit", "5", "--json"))
    listed = rows(ask(
        few_movies, "top", "--by", "likes", "--limit", "5", "--json", "--sort", sort, *direction
    ))  # fmt: skip
    exported = rows(ask(
        few_movies, "export", "--json", "--columns", ",".join(dict.fromkeys(["id", name])),
        "--sort", sort, *direction,
    ))  # fmt: skip

    assert sorted(row["id"] for row in listed) == sorted(row["id"] for row in plain)
    for movies in (listed, exported):
        values = [row[name] for row in movies]
        known = [value for value in values if value is not None]
        assert values[: len(known)] == sorted(known, reverse=bool(direction))


@pytest.mark.parametrize(
    ("command", "message"),
    [(("search", "x", "--desc"), "--desc needs --sort"),
     (("top", "--by", "genre", "--sort", "year"), "makes groups"),
     (("export", "--table", "people", "--sort", "year"), "another --table")],
)  # fmt: skip
def test_a_sort_that_sorts_nothing_is_refused(
    few_movies: URL, command: tuple[str, ...], message: str
):
    """The message says why."""
    done = ask(few_movies, *command)

    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_show_takes_a_title_an_id_a_code_or_a_url(mirror_url: URL, film: Movie):
    """Each way to name a movie shows the same text."""
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
    """Yield the fields of JSON whose names are `id` or end with `_id`, with their values."""
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
     pytest.param(("export", "--format", "jsonl"), marks=LONG), ("export", "--json")],
    ids=" ".join,
)  # fmt: skip
def test_an_id_is_the_one_at_yts(mirror_url: URL, command: tuple[str, ...]):
    """Row ids of the database are not shown; an id of a list names the same movie in `show`."""
    listed = rows(ask(mirror_url, *command, *([] if "export" in command else ["--json"])))
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        stored = {it.external_id: it for it in session.scalars(select(Movie))}
        assert any(it.id != number for number, it in stored.items())

    for row in listed[:30]:
        assert list(ids_in(row)) == [("id", row["id"])]
        assert stored[row["id"]].title == row["title"]
    (shown,) = rows(ask(mirror_url, "show", str(listed[-1]["id"]), "--json"))
    assert shown["title"] == listed[-1]["title"]


def test_show_prefers_an_id_to_a_title(database_url: URL):
    """A movie whose title is the id of another one is found by its title with its year."""
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


def test_a_url_of_two_movies_is_ambiguous(database_url: URL):
    """YTS gives some movies the same URL; the message names both, and none is shown."""
    run_sql(database_url, "INSERT INTO movies (external_id, title, slug, url) VALUES "
            "(1, 'One', 'a-film-2001', 'https://yts.gg/movies/a-film-2001'), "
            "(2, 'Two', 'a-film-2001-2', 'https://yts.gg/movies/a-film-2001')")  # fmt: skip

    done = ask(database_url, "show", "https://yts.lt/movies/a-film-2001")

    assert done.returncode == 2
    assert "One" in done.stderr
    assert "Two" in done.stderr


def test_similar_shows_reasons(mirror_url: URL, film: Movie):
    """The last column says what the movies share; the movie itself is not in the list."""
    done = ask(mirror_url, "similar", film.title, "--why", "--limit", "3")

    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0].split()[-1] == "why"
    assert len(done.stdout.splitlines()) == 4
    assert f"{film.external_id}  {film.title}" not in done.stdout


def test_recommendations_are_like_several_movies(mirror_url: URL, film: Movie):
    """Each row names the liked movie that it is most like; the given movies are not among them."""
    done = ask(mirror_url, "recommend", film.title, "5", "--not", "6", "--why", "--json")
    rows = [json.loads(line) for line in done.stdout.splitlines()]

    assert done.returncode == 0, done.stderr
    assert len(rows) == 20
    assert not {film.external_id, 5, 6} & {row["id"] for row in rows}
    assert {row["most_like"] for row in rows} <= {film.external_id, 5}
    assert all(row["why"] and row["parts"] for row in rows)


@pytest.mark.parametrize(
    ("titles", "message"),
    [(("5", "No Such Film"), "'No Such Film'"), (("5", "--not", "Nosuchfilm"), "'Nosuchfilm'"),
     (("5", "6", "--not", "5"), "Name it once")],
)  # fmt: skip
def test_titles_that_recommend_cannot_use_are_an_error(
    mirror_url: URL, titles: tuple[str, ...], message: str
):
    """The exit code is that of a usage error, and nothing is recommended."""
    done = ask(mirror_url, "recommend", *titles)
    assert (done.returncode, done.stdout, message in done.stderr) == (2, "", True)


def test_a_search_without_results_explains_why(mirror_url: URL, film: Movie):
    """The message is on stderr and suggests the nearest name; stdout is empty."""
    nothing = ask(mirror_url, "search", "love", "--year", "1800-1801")
    unknown = ask(mirror_url, "show", f"{film.title}q")
    genre = ask(mirror_url, "top", "--genre", "Dramma")
    empty = ask(mirror_url, "search", " ")
    mistyped = ask(mirror_url, "search", "cassablancca")

    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "Nothing found" in nothing.stderr
    assert "without the filters" in nothing.stderr
    assert (unknown.returncode, unknown.stdout) == (2, "")
    assert film.title in unknown.stderr
    assert (genre.returncode, "The nearest is Drama" in genre.stderr) == (2, True)
    assert (empty.returncode, "write a title" in empty.stderr) == (2, True)
    assert (mistyped.returncode, mistyped.stdout) == (0, "")
    assert "Did you mean Casablanca?" in mistyped.stderr
    for done in (nothing, unknown, genre, empty, mistyped):
        assert "Traceback" not in done.stderr


def test_an_ambiguous_title_lists_the_candidates(database_url: URL):
    """The message has their ids, which `show` takes."""
    run_sql(database_url, "INSERT INTO movies (external_id, title, year) VALUES (7, 'Twin', 1990), "
            "(8, 'TWIN', NULL)")  # fmt: skip

    done = ask(database_url, "show", "twin")

    assert done.returncode == 2
    assert "7  Twin (1990)" in done.stderr
    assert "8  TWIN (year unknown)" in done.stderr
    assert ask(database_url, "show", "8").returncode == 0


def test_groups_and_numbers_add_up(mirror_url: URL):
    """Groups have as many movies as an export, also with filters."""
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
    """Return a row of Parquet with the values that JSON has."""
    return {name: it.isoformat() if isinstance(it, datetime) else it for name, it in row.items()}


def test_exports_agree_with_each_other(mirror_url: URL, tmp_path: Path):
    """CSV, JSON Lines and Parquet have the same movies and values; no other file is left."""
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
def test_the_ending_of_the_output_decides_the_format(
    options: list[str], first: str, few_movies: URL, tmp_path: Path
):
    """Without --format and --json, an unknown ending means CSV."""
    done = call("query_movies.py", "export", *options, url=few_movies, cwd=tmp_path)

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
    options: list[str], few_movies: URL, tmp_path: Path
):
    """The exit code is 2, and no file is created."""
    done = call("query_movies.py", "export", *options, url=few_movies, cwd=tmp_path)

    assert (done.returncode, done.stdout) == (2, "")
    assert list(tmp_path.iterdir()) == []


FORMULAS = ["=HYPERLINK(1)", "@midnight", "+1", "-1 day", "\t=1", " =1", "\r=1", "\uff1d1"]


def test_spreadsheets_read_texts_as_texts(database_url: URL):
    """With --excel no cell begins a formula, and a mark tells the encoding; CSV stays exact."""
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
def test_line_breaks_in_a_title_do_not_end_its_row(title: str):
    """A reader of CSV gets the title as it was; rows end with LF."""
    out = io.BytesIO()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("cli.query.export.open_output", lambda _: nullcontext(out))
        write_rows(
            [{"title": title, "year": None}], {"title": "string", "year": "int16"}, "csv", None
        )

    text = out.getvalue().decode()
    (row,) = csv.DictReader(io.StringIO(text, newline=""))
    assert row["title"] == title
    assert text.endswith(",\n")
    assert "\r" not in text.replace(f'"{title.replace(chr(34), chr(34) * 2)}"', "")


def test_tables_have_no_control_characters(database_url: URL):
    """Tables leave the control characters of a title out; exports keep them."""
    run_sql(
        database_url, r"INSERT INTO movies (external_id, title) VALUES (1, E'A\x1b[2J\nB, \"C\"')"
    )

    assert "\x1b" not in ask(database_url, "top").stdout
    assert rows(ask(database_url, "export", "--format", "jsonl"))[0]["title"] == 'A\x1b[2J\nB, "C"'
    (row,) = csv.DictReader(io.StringIO(ask(database_url, "export").stdout))
    assert row["title"] == 'A\x1b[2J\nB, "C"'


def test_before_the_first_fetch_the_message_has_the_command_that_fills_the_mirror(
    new_database: Any, database_url: URL
):
    """Without tables, queries fail and create none; without vectors, searches use words alone."""
    empty = new_database(is_empty=True)

    done = ask(empty, "top")
    assert done.returncode == 5
    assert "python fetch_yts_data.py" in done.stderr
    assert ask(empty, "top").returncode == 5

    run_sql(database_url, "INSERT INTO movies (external_id, title) VALUES (1, 'Alone')")
    similar = ask(database_url, "similar", "Alone")
    assert (similar.returncode, "embed_movies.py" in similar.stderr) == (2, True)
    search = ask(database_url, "search", "alone")
    assert "by words alone" in search.stderr
    assert "Alone" in search.stdout


def test_a_closed_pipe_ends_an_export_without_an_error(mirror_url: URL):
    """As with `| head`: exit code 0, and nothing on stderr."""
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
def test_an_invalid_range_is_refused_with_an_example(few_movies: URL, option: str, value: str):
    """The message has an example or the limits."""
    done = ask(few_movies, "top", option, value)

    assert done.returncode == 2
    assert re.search("for example|ends before it begins|is not within", done.stderr)


@pytest.mark.parametrize(
    ("option", "value", "near"),
    [("--genre", "Dramma", "Drama"), ("--genre", "science fiction", "Sci-Fi"),
     ("--genre", "horor", "Horror"), ("--language", "english", "en"), ("--quality", "4k", "2160p"),
     ("--quality", "1080", "1080p"), ("--language", "xx", None), ("--quality", "best", None)],
)  # fmt: skip
def test_an_unknown_value_of_a_filter_is_refused_with_the_nearest(
    mirror_url: URL, option: str, value: str, near: str | None
):
    """The message lists the values that exist; they work in any case of letters."""
    done = ask(mirror_url, "top", option, value)

    assert (done.returncode, done.stdout) == (2, "")
    assert repr(value) in done.stderr
    assert (f"The nearest is {near}; there are: " if near else ". There are: ") in done.stderr
    known = done.stderr.split("here are: ")[1].strip(" .\n").split(", ")
    assert rows(ask(mirror_url, "top", option, known[0].upper(), "--json"))


@pytest.mark.parametrize(
    "query",
    ["asdfghjklqwerty", "tt9999999", "七人の侍", "https://yts.gg/movies/no-such-movie-1999",
     *(pytest.param(it, marks=LONG) for it in (
         "blorptangle snurf", "qwe rty uio", "1234567890123", "Властелин колец", "हिन्दी फिल्म",
         "한국 영화", "https://www.imdb.com/title/tt9999999/"))],
)  # fmt: skip
def test_a_query_without_meaning_finds_nothing(mirror_url: URL, query: str):
    """The exit code is 0, stdout is empty, and stderr has advice."""
    done = ask(mirror_url, "search", query)

    assert (done.returncode, done.stdout) == (0, "")
    assert "Nothing found" in done.stderr


def test_a_code_or_url_finds_its_movie_alone(mirror_url: URL, film: Movie):
    """A code or a URL means one movie, so no similar movies are added."""
    for query in (
        str(film.imdb_code),
        f"https://m.imdb.com/title/{film.imdb_code}/",
        str(film.url),
    ):
        (found,) = rows(ask(mirror_url, "search", query, "--json"))
        assert found["title"] == film.title
