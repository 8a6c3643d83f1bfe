"""`save_movies` with `update`: which differences count as a change, and what is written."""

from typing import Any

import pytest

from database.db import DatabaseManager
from database.sql import URL_COLUMNS
from tests.support.data.movies import Json, movie, person, read, read_one, save, torrent, updated_at
from tests.support.databases import table_contents


@pytest.fixture
def db(emptied_db: DatabaseManager) -> DatabaseManager:
    """Share one database among these tests."""
    return emptied_db


def _on_another_host(value: Any) -> Any:
    if isinstance(value, str):
        return value.replace("https://yts.gg/", "https://img.yts.example/")
    if isinstance(value, list):
        return [_on_another_host(item) for item in value]
    if isinstance(value, dict):
        return {name: _on_another_host(item) for name, item in value.items()}
    return value


def _with_token(value: Any) -> Any:
    if isinstance(value, str):
        return f"{value}?5MT_EM#x" if value.startswith("https:") else value
    if isinstance(value, list):
        return [_with_token(item) for item in value]
    if isinstance(value, dict):
        return {name: _with_token(item) for name, item in value.items()}
    return value


def _torrents(**changes: Any) -> Json:
    return {"torrents": [file | changes for file in movie(1)["torrents"]]}


NO_CHANGES = {
    "likes": {"like_count": 8},
    "unix time": {"date_uploaded_unix": 1446364286},
    "seeds": _torrents(seeds=100),
    "peers": _torrents(peers=0),
    "torrents' unix time": _torrents(date_uploaded_unix=1446364286),
    "hosts": _on_another_host(movie(1)),
    "relative addresses": {"url": "/movies/film-1"},
    "a token in every link": _with_token(movie(1)),
    "case and blanks of genres": {"genres": [" action", "DRAMA "]},
    "genres in another language": {"genres": ["\u062f\u0631\u0627\u0645\u0627"]},
    "genres of which one is known": {"genres": ["Drama", "Azione"]},
    "another sample of the cast": {"cast": [person(8), person(9)]},
    "order of genres": {"genres": ["Drama", "Action", "Action"]},
    "order of torrents": {"torrents": movie(1)["torrents"][::-1]},
    "hash in lower case": {
        "torrents": [file | {"hash": file["hash"].lower()} for file in movie(1)["torrents"]]
    },
    "unknown values": {"rating": 0, "year": 0, "runtime": 0, "title": None, "mpa_rating": ""},
    "unknown slug": {"slug": None},
    "unknown lists": {"genres": None, "torrents": None, "cast": None},
    "unknown facts of a torrent": _torrents(type=None, bit_depth="", is_repack=""),
}

CHANGES = {
    "title": {"title": "Another"},
    "slug": {"slug": "another-2014"},
    "rating": {"rating": 6.4},
    "upload": {"date_uploaded": "2021-11-12 00:00:00"},
    "path of an address": {"large_cover_image": "https://yts.gg/assets/images/b/large-cover.jpg"},
    "one genre less": {"genres": ["Action"]},
    "one genre more": {"genres": ["Action", "Drama", "War"]},
    "no genre": {"genres": []},
    "a torrent gone": {"torrents": [torrent("1A")]},
    "a torrent more": {"torrents": [*movie(1)["torrents"], torrent("1C")]},
    "no torrent": {"torrents": []},
    "quality of a torrent": _torrents(quality="2160p"),
}


def _without_cast(db: DatabaseManager) -> dict[str, list[tuple[object, ...]]]:
    """Return the tables without those that another sample of the cast changes."""
    return table_contents(db) | {"casts": [], "roles": [], "documents": []}


@pytest.mark.parametrize("change", NO_CHANGES.values(), ids=NO_CHANGES.keys())
def test_volatile_and_unknown_values_are_not_a_change(db: DatabaseManager, change: Json) -> None:
    """Values that differ between responses, or are unknown, change and erase nothing."""
    save(db, movie(1))
    before = _without_cast(db)
    moment = updated_at(db, 1)

    assert save(db, movie(1, **change), update=True) == {1: "unchanged"}

    assert _without_cast(db) == before
    assert updated_at(db, 1) == moment


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_a_real_change_is_written_and_dated(db: DatabaseManager, change: Json) -> None:
    """The tables are those of a mirror that saved the changed movie; other movies stay."""
    save(db, movie(1), movie(2))
    moment, others = updated_at(db, 1), updated_at(db, 2)

    outcomes = save(db, movie(1, **change), movie(2), update=True)

    assert outcomes == {1: "updated", 2: "unchanged"}
    assert updated_at(db, 1) > moment
    assert updated_at(db, 2) == others
    changed = table_contents(db)
    with db.get_session() as session:
        session.connection().exec_driver_sql("TRUNCATE movies, genres, casts, torrents CASCADE")
    save(db, movie(1, **change), movie(2))
    assert changed == table_contents(db)


def test_a_stored_token_is_not_a_change_and_is_removed_by_the_next_one(
    db: DatabaseManager,
) -> None:
    """It stays until another field changes; then the links are written without it."""
    save(db, movie(1))
    columns = [name for name in URL_COLUMNS if name in movie(1)]
    sets = ", ".join(f"{name} = {name} || '?old#token'" for name in columns)
    with db.get_session() as session:
        session.connection().exec_driver_sql(f"UPDATE movies SET {sets}")
        session.connection().exec_driver_sql("UPDATE torrents SET url = url || '?old'")

    assert save(db, movie(1), update=True) == {1: "unchanged"}

    changed = {"title": "Another", **_torrents(quality="2160p")}
    assert save(db, movie(1, **changed), update=True) == {1: "updated"}
    stored = read_one(db, ", ".join(columns), 1)
    assert stored == tuple(movie(1)[name] for name in columns)
    assert not [url for url in read(db, "SELECT url FROM torrents") if "?" in url]


def test_genres_of_another_language_fill_an_empty_place_until_known_ones_come(
    db: DatabaseManager,
) -> None:
    """A new movie keeps genres of another language until English ones arrive."""
    save(db, movie(1, genres=["\u062f\u0631\u0627\u0645\u0627"]), movie(2, genres=[]))
    assert save(db, movie(2, genres=["Azione"]), update=True) == {2: "updated"}
    names = "SELECT name FROM genres JOIN movie_genres ON genre_id = id ORDER BY movie_id"
    assert read(db, names) == ["\u062f\u0631\u0627\u0645\u0627", "Azione"]

    save(db, movie(1, genres=["Drama"]), movie(2, genres=["Action"]), update=True)
    assert read(db, names) == ["Drama", "Action"]


def test_an_unlisted_genre_has_one_spelling(db: DatabaseManager) -> None:
    """The first spelling stays, within one response and in later ones."""
    save(db, movie(1, genres=["Space Opera", "space  opera"]), movie(2, genres=["SPACE OPERA"]))
    save(db, movie(3, genres=[" space opera", "Spaceopera"]))

    assert len(read(db, "SELECT name FROM genres")) == 1
    assert read(db, "SELECT count(*) FROM movie_genres") == [3]


def test_without_update_a_stored_movie_is_left_alone(db: DatabaseManager) -> None:
    """Without `update`, a difference is not even written."""
    save(db, movie(1))

    assert save(db, movie(1, title="Another")) == {1: "skipped"}

    assert read_one(db, "title", 1) == "Film 1"


def test_volatile_values_are_written_together_with_a_change(db: DatabaseManager) -> None:
    """A row that is written gets all values of one response."""
    save(db, movie(1))

    save(db, movie(1, title="Another", like_count=99), update=True)

    assert read_one(db, "title, like_count", 1) == ("Another", 99)


def test_the_cast_is_the_union_of_all_responses(db: DatabaseManager) -> None:
    """A response has a sample of at most four people; another sample removes none."""
    save(db, movie(1, cast=[person(1), person(2)]))
    save(db, movie(1, cast=[person(3), person(2)]), update=True)

    roles = "SELECT name, position FROM movie_casts JOIN casts ON id = cast_id ORDER BY 2"
    assert read(db, roles) == [("Person 1", 0), ("Person 2", 1), ("Person 3", 2)]


def test_unknown_values_of_a_person_are_filled_in_later(db: DatabaseManager) -> None:
    """A picture or role that arrives later is stored; a known one is not erased."""
    save(db, movie(1, cast=[person(1, url_small_image=None, character_name=None), person(2)]))
    save(
        db,
        movie(1, cast=[person(1), person(2, url_small_image=None, character_name="")]),
        update=True,
    )

    people = "SELECT url_small_image FROM casts ORDER BY imdb_code"
    assert read(db, people) == [person(1)["url_small_image"], person(2)["url_small_image"]]
    roles = "SELECT character_name FROM movie_casts ORDER BY position"
    assert read(db, roles) == ["Role 1", "Role 2"]


def test_a_person_keeps_the_first_spelling(db: DatabaseManager) -> None:
    """A person is identified by the IMDb code, or by the name if there is no code."""
    save(db, movie(1, cast=[person(1), person(2, imdb_code=None)]))
    save(db, movie(2, cast=[person(1, name="Other"), person(2, imdb_code=""), person(2)]))

    people = "SELECT name, imdb_code FROM casts ORDER BY 1, 2"
    assert read(db, people) == [
        ("Person 1", "0000001"),
        ("Person 2", "0000002"),
        ("Person 2", None),
    ]
