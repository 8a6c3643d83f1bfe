"""`movie_documents`: the hash and search vector of a movie always match its rows."""

import pytest
from sqlalchemy import text

from database.db import DatabaseManager
from database.writing.movies import save_movies
from tests.support.data.movies import Json, list_row, movie, payloads, person, save

_WRONG = """
    SELECT external_id FROM movies JOIN movie_documents ON movie_id = id
    WHERE movies.document_hash IS DISTINCT FROM movie_documents.document_hash
        OR movies.search_vector IS DISTINCT FROM movie_documents.search_vector"""


def wrong_documents(db: DatabaseManager) -> list[int]:
    """Return the YTS ids of movies whose stored document is not the current one."""
    with db.get_session() as session:
        return list(session.scalars(text(_WRONG)))


def found(db: DatabaseManager, words: str) -> list[int]:
    """Return the YTS ids of movies whose document has all of *words*."""
    query = text(
        "SELECT external_id FROM movies "
        "WHERE search_vector @@ plainto_tsquery('simple', fold_accents(:words)) ORDER BY 1"
    )
    with db.get_session() as session:
        return list(session.scalars(query, {"words": words}))


CHANGES: dict[str, Json] = {
    "nothing": {},
    "title": {"title": "Another"},
    "English title": {"title_english": "Another"},
    "plot": {"description_full": "Somebody does something else."},
    "genres": {"genres": ["War"]},
    "one person more": {"cast": [person(77, name="Zoë Łukaszewska")]},
    "rating": {"rating": 9.9},
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES.keys())
def test_documents_follow_what_is_saved(db: DatabaseManager, change: Json) -> None:
    """The document is current after a list page, after details, and after a change."""
    save(db, list_row(movie(1)))
    assert wrong_documents(db) == []

    save(db, movie(1))
    save(db, movie(2))
    assert wrong_documents(db) == []

    save(db, movie(1, **change), update=True)
    assert wrong_documents(db) == []


@pytest.mark.parametrize(
    ("stored", "changes"),
    [
        ({"cast": [person(7, name="Zoë")]}, {"cast": [person(7, name="Zoe Kazan")]}),
        ({"genres": ["Krimi"]}, {"genres": ["KRIMI"]}),
        ({}, {"cast": [person(7, name="Zoë"), person(7, name="Zoe Kazan")]}),
    ],
    ids=["person", "genre", "twice"],
)
def test_a_new_movie_has_the_names_as_they_are_stored(
    db: DatabaseManager, stored: Json, changes: Json
) -> None:
    """The first spelling stays, so a search does not find the movie by another one."""
    save(db, movie(1, **stored))

    save(db, movie(2, **changes), movie(3))

    assert wrong_documents(db) == []
    assert found(db, "Kazan") == []


def test_two_spellings_in_one_step_give_documents_with_one(db: DatabaseManager) -> None:
    """Both movies are new, and so is the person."""
    save(db, movie(1, cast=[person(7, name="Zoë")]), movie(2, cast=[person(7, name="Zoe Kazan")]))

    assert wrong_documents(db) == []
    assert found(db, "zoe") == [1, 2]


def test_a_new_movie_is_written_once(db: DatabaseManager) -> None:
    """Its search document is written with it, and the row is not written again."""
    versions = text(
        "SELECT n_tup_ins, n_tup_upd FROM pg_stat_xact_user_tables WHERE relname = 'movies'"
    )
    new = payloads([movie(number) for number in range(1, 4)])
    with db.get_session() as session:
        save_movies(session, new, detailed=[1, 2, 3], update=False)
        assert session.execute(versions).one() == (3, 0)

    assert wrong_documents(db) == []


def test_what_is_volatile_is_not_in_the_document(db: DatabaseManager) -> None:
    """A change of rating, seeds or likes needs no new vector."""
    save(db, movie(1))
    with db.get_session() as session:
        before = session.scalar(text("SELECT document_hash FROM movies"))

    save(db, movie(1, rating=9.9, like_count=99, runtime=90, mpa_rating="G"), update=True)

    with db.get_session() as session:
        assert session.scalar(text("SELECT document_hash FROM movies")) == before


@pytest.mark.parametrize(
    "words", ["Amélie", "amelie", "AMELIE", "Łódź", "lodz", "Straße", "strasse", "alien3", "zoe"]
)
def test_words_are_found_with_and_without_accents(db: DatabaseManager, words: str) -> None:
    """Letters are decomposed by the rules of Unicode, in any language."""
    save(db, movie(1, title="Amélie in Łódź: Alien³ Straße", cast=[person(50, name="Zoë")]))
    save(db, movie(2))

    assert found(db, words) == [1]


@pytest.mark.parametrize(
    ("title", "query"),
    [
        ("WALL·E", "wall-e"),
        ("Spider-Man: Far from Home", "spiderman far from home"),
        ("Amélie", "AMELIE"),
        ("L\u2019Avventura", "l'avventura"),
        ("Œdipe", "oedipe"),
        ("東京物語", "東京 物語"),
    ],
)
def test_a_search_key_ignores_case_accents_and_signs(
    db: DatabaseManager, title: str, query: str
) -> None:
    """Exact titles and names are found by their keys."""
    keys = text("SELECT search_key(:title) = search_key(:query)")
    with db.get_session() as session:
        assert session.scalar(keys, {"title": title, "query": query})


def test_a_title_of_signs_alone_has_no_key(db: DatabaseManager) -> None:
    """It equals no other title, not even one of the same signs."""
    with db.get_session() as session:
        assert session.scalar(text("SELECT search_key('?!')")) is None
