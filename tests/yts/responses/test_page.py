"""`parse_page`: pages with movies, without movies, with repeated and malformed movies."""

from collections import Counter

import pytest

from tests.support.data.yts_responses import (
    a_ghost,
    a_movie,
    a_row,
    a_torrent,
    answer,
    page_response,
)
from yts.errors import NotYts
from yts.payload import parse_movie
from yts.responses import parse_page
from yts.unknown_fields import MAX_NAMES, OTHER_FIELDS, add_counts


def test_the_ghost_on_a_page_is_malformed_and_not_saved():
    """
    Id 0 is never a movie (docs/yts-api.md, quirk 1).
    """
    page = parse_page(page_response(a_ghost(), a_row(5)))

    assert [movie.id for movie in page.movies] == [5]
    assert [error.movie_id for error in page.malformed] == [None]


@pytest.mark.parametrize("movie_count", [0, 49])
def test_a_page_without_movies_is_empty(movie_count: int):
    """
    YTS omits `movies` if there are none, with any `movie_count` (docs/yts-api.md, quirk 2).
    """
    page = parse_page(page_response(movie_count=movie_count))

    assert (page.movie_count, page.movies, page.malformed) == (movie_count, (), ())


@pytest.mark.parametrize("empty", [[], None])
def test_an_empty_or_null_list_of_movies_is_empty_too(empty: object):
    """
    Never recorded, but this is the only possible meaning (docs/yts-api.md, quirk 2).
    """
    assert parse_page(answer({"movie_count": 0, "movies": empty})).movies == ()


def test_a_movie_repeated_on_a_page_comes_once():
    """
    Distinct by id, the first of each, in the order sent (docs/yts-api.md, quirk 3).
    """
    rows = [a_row(9), a_row(7), a_row(9, title="Later"), a_row(8), a_row(7)]
    page = parse_page(page_response(*rows))

    assert [(movie.id, movie.title) for movie in page.movies] == [
        (9, "The Lamp 9"),
        (7, "The Lamp 7"),
        (8, "The Lamp 8"),
    ]


def test_one_malformed_movie_does_not_affect_the_others():
    """
    The other movies are parsed, and the malformed one is reported with the reason.
    """
    page = parse_page(page_response(a_row(1), a_row(2, runtime="an hour"), "no movie", a_row(3)))

    assert [movie.id for movie in page.movies] == [1, 3]
    assert [error.movie_id for error in page.malformed] == [2, None]
    assert str(page.malformed[0]).startswith("runtime: ")
    assert "an hour" in str(page.malformed[0])


@pytest.mark.parametrize("count", [None, "77000", True, -1, 1.5, 2**31, 10**400])
def test_a_page_needs_a_valid_count(count: object):
    """
    A catalogue of another size than a whole number is not YTS's (docs/yts-api.md, quirk 11).
    """
    with pytest.raises(NotYts):
        parse_page(answer({"movie_count": count, "movies": [a_row()]}))


@pytest.mark.parametrize("movies", [{}, "none", 7, {"a": a_row()}, {"0": a_row(), "x": 1}])
def test_movies_that_are_not_a_list_are_not_yts(movies: object):
    """
    Anything but a list, null or nothing is another shape (docs/yts-api.md, quirk 11).
    """
    with pytest.raises(NotYts):
        parse_page(answer({"movie_count": 1, "movies": movies}))


def test_an_object_with_numbers_as_keys_is_a_list():
    """
    PHP writes a list with gaps, as after a filter, as an object whose keys are the numbers.
    """
    row = a_row(
        1,
        genres={"0": "Drama", "2": "War"},
        torrents={"1": a_torrent(hash="CD" * 20), "3": a_torrent()},
    )
    page = parse_page(answer({"movie_count": 2, "movies": {"0": row, "7": a_row(2)}}))

    assert [movie.id for movie in page.movies] == [1, 2]
    assert page.malformed == ()
    (movie, _) = page.movies
    assert movie.genres == ("Drama", "War")
    assert [torrent.hash for torrent in movie.torrents or ()] == ["CD" * 20, "AB" * 20]


def test_an_empty_object_in_place_of_a_list_is_an_empty_list():
    """
    PHP writes that, too; the rest of the movie is valid.
    """
    movie = parse_movie(a_movie(torrents={}, cast={}, genres={}))
    assert (movie.torrents, movie.cast, movie.genres) == ((), (), ())


def test_a_count_of_zero_beside_movies_is_ignored():
    """
    YTS has sent suggestions with `movie_count` 0 and four movies (docs/yts-api.md, section 3).
    """
    assert len(parse_page(page_response(a_row(1), a_row(2), movie_count=0)).movies) == 2


def test_unknown_fields_are_counted_and_known_ones_are_not():
    """
    A new field of the API is counted; fields left out on purpose are not.
    """
    row = a_row(1, imax=True, state="ok", download_count=7, torrents=[a_torrent(new=1)])
    page = parse_page(page_response(row, a_row(2, imax=False, medium_screenshot_image2="x")))
    assert page.unknown_fields == {"imax": 2}


def test_unknown_fields_are_limited_in_number_and_length():
    """
    A server may invent fields in every response; a run keeps few of them, all printable.
    """
    total: Counter[str] = Counter()
    for number in range(30):
        nasty = {f"x\x1b[2J\x9b\u202e{number}-{it}" + "y" * 500: it for it in range(50)}
        total = add_counts(total, parse_page(page_response(a_row(**nasty))).unknown_fields)

    assert len(total) == MAX_NAMES + 1
    assert total[OTHER_FIELDS] == 30 * 50 - MAX_NAMES
    assert all(name.isprintable() and len(name) <= 60 for name in total)
