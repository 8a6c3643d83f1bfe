"""`MoviePayload`: texts that are empty, odd, missing, or cannot be stored in PostgreSQL."""

import pytest

from tests.support.data.yts_responses import Json, a_movie, a_row, without
from tests.support.servers.client_fixtures import read_row
from yts.errors import MalformedMovie
from yts.payload import parse_movie

TEXTS = [
    name
    for name, value in a_movie().items()
    if isinstance(value, str) and not name.startswith("date_")
]


@pytest.mark.parametrize("nothing", ["", None, "  ", "\u0000", "absent"])
def test_empty_null_and_absent_texts_are_unknown(nothing: str | None):
    """
    All of them are stored as null (docs/yts-api.md, section 4.1).
    """
    movie = without(a_movie(), *TEXTS)
    if nothing != "absent":
        movie |= dict.fromkeys(TEXTS, nothing)
    parsed = parse_movie(movie)
    assert {getattr(parsed, name) for name in TEXTS} == {None}


@pytest.mark.parametrize(
    ("changes", "title"),
    [
        ({}, "The Lamp 4711"),
        ({"title": None}, "Die Lampe"),
        ({"title": "", "title_english": ""}, "The Lamp 4711 (2019)"),
        ({"title": None, "title_english": None, "title_long": " (2012)"}, "-2021"),
        ({"title": "", "title_english": None, "title_long": "", "slug": None}, "tt0004711"),
    ],
)
def test_a_missing_title_is_replaced_by_another_name(changes: Json, title: str):
    """
    Real movies without a title exist; their long title is only a year (docs/yts-api.md,
    section 4.1).
    """
    row = a_row(**{"title_english": "Die Lampe", "slug": "-2021"} | changes)
    assert parse_movie(row).display_title == title


def test_a_movie_without_any_name_is_shown_by_its_id():
    """
    The title must not be null, and the id is the only value left.
    """
    row = without(a_row(), "title", "title_english", "title_long", "slug", "imdb_code")
    assert parse_movie(row).display_title == "YTS movie 4711"


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("url", "/movie/the-lamp-2019"),
        ("url", "https://yts.lt/movie/the-lamp-2019"),
        ("small_cover_image", "assets/images/movies/lamp/small-cover.jpg"),
        ("slug", "little-lamp-"),
        ("slug", "-2021"),
        ("slug", "9%c2%bd-lamps-1986"),
        ("title_long", "Little Lamp (0000)"),
        ("imdb_code", "tt10872600"),
        ("language", "English"),
        ("language", "eng"),
        ("mpa_rating", "16"),
        ("mpa_rating", "MA15+"),
        ("title", "Amélie & the \u201clamp\u201d \U0001f4a1"),
        ("description_full", "He said: \u2018\\u0000 is no NUL\u2019 \u2014imdbuser"),
    ],
)
def test_texts_are_stored_as_they_are(field: str, value: str):
    """
    No slug, host, image folder or language is derived or repaired (docs/yts-api.md, quirks 5 and 6,
    section 4.1).
    """
    assert getattr(read_row(a_row(**{field: value})), field) == value


def test_a_number_in_place_of_a_text_becomes_a_text():
    """
    A movie may be called 300, and PHP may send it as a number.
    """
    assert read_row(a_row(title=300, mpa_rating=12)).title == "300"


@pytest.mark.parametrize("text", ["nul \u0000 inside", "half a pair \ud83d", "\udc00\u0000"])
def test_characters_that_postgresql_cannot_store_are_removed(text: str):
    """
    A movie with NUL or lone surrogates is saved without these characters.
    """
    movie = read_row(a_row(title=f"Lamp {text}", genres=[f"Drama {text}"]))

    for stored in (movie.title, *(movie.genres or ())):
        assert stored is not None
        assert "\0" not in stored
        assert stored.encode("utf-8")
        assert stored.startswith(("Lamp", "Drama"))


def test_a_movie_given_as_a_dict_is_storable_too():
    """
    `save_movie` takes dicts that were never bytes: NUL is removed, a lone surrogate is
    malformed.
    """
    assert parse_movie(a_row(title="La\0mp")).title == "Lamp"
    with pytest.raises(MalformedMovie, match="title: ") as caught:
        parse_movie(a_row(title="Lamp \ud83d"))
    assert str(caught.value).encode("utf-8")
