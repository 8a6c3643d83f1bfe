"""`MoviePayload`: numbers and lists with zeros, gaps, and values that no column can store."""

from typing import Any

import pytest

from database.sql import URL_COLUMNS
from tests.support.data.yts_responses import (
    a_movie,
    a_person,
    a_row,
    a_torrent,
    details_response,
    without,
)
from tests.support.servers.client_fixtures import read_row
from yts.errors import MalformedMovie
from yts.payload import MoviePayload, parse_movie
from yts.responses import parse_details


def test_a_list_row_keeps_its_values():
    """
    Every stored field keeps its name and its value (docs/yts-api.md, section 4.1).
    """
    row = without(a_row(), "torrents", "state", "genres")
    movie = read_row(a_row())

    assert {name: getattr(movie, name) for name in row} == row
    assert movie.genres == ("Drama", "Mystery")


def test_details_bring_likes_cast_and_intro():
    """
    Details lack summary and synopsis, and add three fields (docs/yts-api.md, section 4.2).
    """
    movie = parse_details(details_response(a_movie()), 4711)

    assert movie is not None
    assert (movie.like_count, movie.summary, movie.synopsis) == (31, None, None)
    assert movie.description_intro == "A keeper counts the ships that do not come."
    assert [person.name for person in movie.cast or ()] == ["Ida Mellin"]


def test_details_and_list_rows_can_be_distinguished():
    """
    Any of the fields that only details have is enough; responses may lack some
    (docs/yts-api.md, section 4.2).
    """
    assert not parse_movie(a_row()).has_details
    for kept in ("like_count", "description_intro", "cast"):
        others = {"like_count", "description_intro", "cast"} - {kept}
        assert parse_movie(without(a_movie(), *others)).has_details


@pytest.mark.parametrize("field", ["year", "rating", "runtime"])
@pytest.mark.parametrize("unknown", [0, 0.0, "0", "", None])
def test_zero_means_unknown(field: str, unknown: object):
    """
    YTS writes 0 for a year, rating or runtime that it does not know (docs/yts-api.md, section 4.1).
    """
    assert getattr(read_row(a_row(**{field: unknown})), field) is None


def test_zero_likes_are_zero():
    """
    Only year, rating and runtime use 0 for unknown (docs/yts-api.md, section 4.2).
    """
    assert parse_movie(a_movie(like_count=0)).like_count == 0


@pytest.mark.parametrize(("sent", "rating"), [(7, 7.0), (6.3, 6.3), (10, 10.0), ("5.5", 5.5)])
def test_a_rating_may_be_an_int_a_float_or_a_text(sent: object, rating: float):
    """
    PHP sends whole numbers as ints (docs/yts-api.md, section 4.1).
    """
    assert read_row(a_row(rating=sent)).rating == rating


UNFIT = {
    "id": [2**31, -3],
    "title": [["The", "Lamp"], True],
    "year": [20199, -1, "soon"],
    "rating": [10.1, -0.1, float("nan"), float("inf")],
    "runtime": [2**15, -5, 1.5],
    "like_count": [2**31, -1],
    "genres": ["Drama"],
    "torrents": ["none"],
    "date_uploaded_unix": [10**12, -1],
}


@pytest.mark.parametrize(
    ("field", "value"), [(field, value) for field, values in UNFIT.items() for value in values]
)
def test_a_value_that_does_not_fit_its_column_is_malformed(field: str, value: object):
    """
    The error names the field, before PostgreSQL would refuse the value.
    """
    with pytest.raises(MalformedMovie, match=f"^{field}: "):
        parse_movie(a_row(**{field: value}))


@pytest.mark.parametrize("field", ["genres", "torrents", "cast"])
def test_an_absent_list_is_not_an_empty_one(field: str):
    """
    Absent or null means unknown (docs/yts-api.md, sections 4.1, 4.3); an empty list means
    that there are none.
    """
    assert getattr(parse_movie(without(a_movie(), field)), field) is None
    assert getattr(parse_movie(a_movie(**{field: None})), field) is None
    assert getattr(parse_movie(a_movie(**{field: []})), field) == ()


def test_any_genre_is_a_genre():
    """
    The list of genres is not closed (docs/yts-api.md, section 4.1).
    """
    assert parse_movie(a_row(genres=["Film-Noir", "Reality-TV"])).genres == (
        "Film-Noir",
        "Reality-TV",
    )


@pytest.mark.parametrize("name", ["sci-fi", "SCI-FI", " Sci-Fi ", "Sci - Fi", "Sci\t-\xa0Fi"])
def test_a_known_genre_has_one_spelling(name: str):
    """
    Case and spaces do not make another genre.
    """
    assert parse_movie(a_row(genres=[name])).genres == ("Sci-Fi",)


@pytest.mark.parametrize(
    ("genres", "are_known"),
    [
        (["Drama", "western"], True),
        ([], True),
        (None, True),
        (["Drama", None, ""], True),
        (["\u062f\u0631\u0627\u0645\u0627"], False),
        (["Drama", "Com\u00e9die"], False),
        (["Commedia"], False),
    ],
)
def test_genres_of_another_language_are_recognized(genres: object, *, are_known: bool):
    """
    A response had genres in Arabic once, and all other texts in English.
    """
    assert parse_movie(a_row(genres=genres)).has_known_genres is are_known


@pytest.mark.parametrize(
    ("sent", "url"),
    [
        ("https://yts.lt/movies/lamp?5MT_EM", "https://yts.lt/movies/lamp"),
        ("https://yts.lt/movies/lamp#top", "https://yts.lt/movies/lamp"),
        ("/movies/lamp?a=b#c?d", "/movies/lamp"),
        ("//yts.lt/a:b?c", "//yts.lt/a:b"),
        ("?token", None),
        ("HTTPS://yts.lt/a?b", "HTTPS://yts.lt/a"),
        ("magnet:?xt=urn:btih:AB&tr=x#y", "magnet:?xt=urn:btih:AB&tr=x#y"),
    ],
)
def test_query_and_fragment_are_not_part_of_a_link(sent: str, url: str | None):
    """
    From November 2025 to May 2026 they were a token, another one in each response; it must be
    neither stored nor exported. This holds for all links of a movie.
    """
    names = [name for name in URL_COLUMNS if name in MoviePayload.model_fields]
    movie = parse_movie(
        a_movie(
            **dict.fromkeys(names, sent),
            torrents=[a_torrent(url=sent)],
            cast=[a_person(url_small_image=sent)],
        )
    )
    assert movie.torrents
    assert movie.cast
    assert len(names) == 6
    assert {getattr(movie, name) for name in names} == {url}
    assert movie.torrents[0].url == movie.cast[0].url_small_image == url


def test_the_oldest_rows_lack_half_of_their_fields():
    """
    In 2015 there were no texts, no English title and no large cover (docs/yts-api.md, section 4.1).
    """
    lacking = "title_english summary description_full synopsis yt_trailer_code "
    lacking += "background_image_original large_cover_image"
    movie = read_row(without(a_row(), *lacking.split()))
    assert (movie.title, movie.large_cover_image) == ("The Lamp 4711", None)


@pytest.mark.parametrize("raw", [None, [], "movie", 7, {}, {"title": "No id"}, {"id": "x"}])
def test_a_value_that_is_not_a_movie_is_malformed_without_an_id(raw: object):
    """
    The id is not guessed.
    """
    with pytest.raises(MalformedMovie) as caught:
        parse_movie(raw)
    assert caught.value.movie_id is None


def _nested(depth: int) -> list[Any]:
    nest: list[Any] = []
    for _ in range(depth):
        nest = [nest]
    return nest


@pytest.mark.parametrize(
    "odd",
    [
        {"id": True},
        {"year": True},
        {"like_count": False},
        {"rating": True},
        # As numeric(3,1) it would be 0, which means unknown.
        {"rating": 0.04},
        {"title": 10**5000},
        {"year": 10**5000},
        {"title": _nested(5000)},
    ],
    ids=lambda odd: f"{next(iter(odd))}",
)
def test_values_that_python_converts_silently_or_cannot_print_are_malformed(odd: dict[str, Any]):
    """
    True is not 1; the message does not contain numbers of thousands of digits or deep lists.
    """
    with pytest.raises(MalformedMovie) as caught:
        parse_movie(a_row(**odd))
    assert len(str(caught.value)) < 300
