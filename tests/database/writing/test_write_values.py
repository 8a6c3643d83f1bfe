"""`save_movies`: how values of YTS are stored in their columns."""

from datetime import UTC, datetime
from typing import Any

import pytest

from database.db import DatabaseManager
from tests.support.data.movies import movie, read, read_one, save, torrent


@pytest.fixture
def db(emptied_db: DatabaseManager) -> DatabaseManager:
    """Share one database among these tests."""
    return emptied_db


@pytest.mark.parametrize("column", ["year", "runtime", "rating"])
@pytest.mark.parametrize("value", [0, "0", None])
def test_zero_means_unknown(db: DatabaseManager, column: str, value: Any) -> None:
    """YTS sends 0 for unknown values; they are stored as NULL, so that averages are right."""
    save(db, movie(1, **{column: value}))

    assert read_one(db, column, 1) is None


@pytest.mark.parametrize(
    ("texts", "title"),
    [
        ({"title": None}, "Film 1"),
        ({"title": "", "title_english": None, "title_long": "Long (2012)"}, "Long (2012)"),
        ({"title": None, "title_english": None, "title_long": " (2012)"}, "film-1-2014"),
        ({"title": None, "title_english": None, "title_long": None, "slug": None}, "tt0000001"),
        (
            dict.fromkeys(["title", "title_english", "title_long", "slug", "imdb_code"]),
            "YTS movie 1",
        ),
    ],
)
def test_a_missing_title_is_replaced_by_another_text(
    db: DatabaseManager, texts: dict[str, str | None], title: str
) -> None:
    """Every movie has a title."""
    save(db, movie(1, **texts))

    assert read_one(db, "title", 1) == title


@pytest.mark.parametrize(
    ("sent", "unix", "stored"),
    [
        ("2015-11-01 03:51:26", 1, datetime(2015, 11, 1, 2, 51, 26, tzinfo=UTC)),
        ("2015-07-01 03:51:26", 1, datetime(2015, 7, 1, 1, 51, 26, tzinfo=UTC)),
        # The hour that summer time skips, and the one that it repeats.
        ("2024-03-31 02:30:00", 1, datetime(2024, 3, 31, 1, 30, tzinfo=UTC)),
        ("2024-10-27 02:30:00", 1, datetime(2024, 10, 27, 0, 30, tzinfo=UTC)),
        ("0000-00-00 00:00:00", 1446346286, datetime.fromtimestamp(1446346286, UTC)),
        ("0001-01-01 00:00:00", 1446346286, datetime.fromtimestamp(1446346286, UTC)),
        (None, 1446346286, datetime.fromtimestamp(1446346286, UTC)),
        ("", 0, None),
        (None, None, None),
    ],
)
def test_upload_times_are_those_of_paris(
    db: DatabaseManager, sent: str | None, unix: int | None, stored: datetime | None
) -> None:
    """The local time counts, with summer time; without it, the unix time is stored."""
    times = {"date_uploaded": sent, "date_uploaded_unix": unix}
    save(db, movie(1, **times, torrents=[torrent("A", **times)]))

    assert read_one(db, "date_uploaded", 1) == stored
    assert read(db, "SELECT date_uploaded FROM torrents") == [stored]


def test_an_absent_key_is_unknown(db: DatabaseManager) -> None:
    """Responses of 2015 had half of the current fields."""
    save(db, {"id": 1, "torrents": [{"hash": "a" * 40}], "cast": [{"name": "Somebody"}]})

    assert read_one(db, "year, slug, url, date_uploaded", 1) == (None, None, None, None)
    assert read(db, "SELECT hash, url, size_bytes FROM torrents") == [("A" * 40, None, None)]
    assert read(db, "SELECT name, imdb_code FROM casts") == [("Somebody", None)]


def test_torrents_and_people_without_a_key_are_left_out(db: DatabaseManager) -> None:
    """A torrent needs a hash, and a person a name; the rest of the movie is saved."""
    save(
        db,
        movie(
            1,
            torrents=[torrent("A"), torrent("B", hash=None), torrent("C", hash="")],
            cast=[{"name": "", "imdb_code": "0000001"}, {"name": "Somebody"}],
            genres=["Drama", "", None],
        ),
    )

    assert len(read(db, "SELECT * FROM torrents")) == 1
    assert read(db, "SELECT name FROM casts") == ["Somebody"]
    assert read(db, "SELECT name FROM genres") == ["Drama"]


def test_one_torrent_may_belong_to_two_movies(db: DatabaseManager) -> None:
    """A hash is unique only within a movie."""
    save(db, movie(1, torrents=[torrent("A")]), movie(2, torrents=[torrent("A")]))

    assert len(read(db, "SELECT * FROM torrents")) == 2


def test_thousands_of_torrents_are_one_statement(db: DatabaseManager) -> None:
    """The number of parameters does not grow with the number of torrents."""
    many = [torrent(f"{number:X}") for number in range(5000)]

    save(db, movie(1, torrents=many))
    assert save(db, movie(1, torrents=many[:4000]), update=True) == {1: "updated"}

    assert read(db, "SELECT count(*) FROM torrents") == [4000]


def test_a_very_long_text_is_kept_whole_and_found(db: DatabaseManager) -> None:
    """Only its beginning is indexed, because the size of a tsvector is limited."""
    words = " ".join(f"word{number}" for number in range(25_000))
    assert len(words) > 200_000

    save(db, movie(1, description_full=words, title="a" * 20_000))

    assert read_one(db, "description_full", 1) == words
    matches = "SELECT count(*) FROM movies WHERE search_vector @@ to_tsquery('english', 'word77')"
    assert read(db, matches) == [1]


@pytest.mark.parametrize("text", ['O\'Neil \\ "x" {a,b} %s :x', "😀 Żółć 東京", "a\tb\nc", "NULL"])
def test_text_is_kept_as_it_is(db: DatabaseManager, text: str) -> None:
    """Quotes, braces, percent signs and all scripts are kept, in scalars and in lists."""
    save(db, movie(1, title=text, genres=[text], cast=[{"name": text}]))

    assert read_one(db, "title", 1) == text
    assert read(db, "SELECT name FROM genres UNION ALL SELECT name FROM casts") == [text, text]


@pytest.mark.parametrize("setting", ["client_encoding=latin1", "standard_conforming_strings=off"])
def test_text_is_kept_whatever_the_connection_is_set_to(db: DatabaseManager, setting: str) -> None:
    """The user may choose settings of the connection in the URL of the database."""
    text = 'Zoë O\'Neil \\ "x"'
    chosen = db.url.update_query_dict({"options": f"-c {setting}"})
    if setting.startswith("client_encoding"):
        chosen = db.url.update_query_dict(dict([setting.split("=")]))

    with DatabaseManager(chosen) as other:
        save(other, movie(1, title=text, cast=[{"name": text}]))

    assert read_one(db, "title", 1) == text
    assert read(db, "SELECT name FROM casts") == [text]
