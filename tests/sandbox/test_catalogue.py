"""`Catalogue`: ids, facts, casts, torrents and quirks of its movies, without HTTP."""

from collections import Counter

import pytest

from sandbox.catalogue.catalogue import Catalogue
from sandbox.catalogue.films import read_films
from sandbox.catalogue.movie_json import detailed_movie, list_movie
from sandbox.catalogue.quirks import NAMESAKE, QUIRKS
from tests.support.sandbox_requests import Json

FILMS = read_films()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return Catalogue(FILMS, 3_000, seed=1)


def movie_with(catalogue: Catalogue, quirk: str) -> Json:
    """Return the details of the first movie with *quirk*."""
    generated = catalogue.ids[len(FILMS) :]
    movie_id = generated[list(QUIRKS).index(quirk)]
    return detailed_movie(catalogue, movie_id, catalogue.cast(movie_id), has_screenshots=False)


def test_films_come_first_with_their_real_facts(catalogue: Catalogue) -> None:
    """
    The lowest ids are the films of the file, in the order of the file, with their real facts.
    """
    facts = [catalogue.facts(movie_id) for movie_id in catalogue.ids[: len(FILMS)]]

    assert [(film.title, film.year, film.rating) for film in FILMS] == [
        (movie.title, movie.year, movie.rating) for movie in facts
    ]
    first = catalogue.cast(catalogue.ids[0]) or ()
    assert FILMS[0].cast == tuple((member.name, member.role) for member in first)


def test_a_larger_catalogue_begins_with_the_smaller_one() -> None:
    """
    A movie depends on seed and id only, not on the number of movies.
    """
    small, large = Catalogue(FILMS, 400, seed=3), Catalogue(FILMS, 4_000, seed=3)

    assert small.ids == large.ids[:400]
    assert [list_movie(small, i) for i in small.ids] == [list_movie(large, i) for i in small.ids]


def test_another_seed_is_another_catalogue(catalogue: Catalogue) -> None:
    """
    The seed determines the missing ids and the movies.
    """
    other = Catalogue(FILMS, 3_000, seed=2)

    assert catalogue.ids != other.ids
    assert catalogue.facts(catalogue.ids[-1]) != other.facts(catalogue.ids[-1])


def test_about_one_id_in_seventy_is_missing(catalogue: Catalogue) -> None:
    """
    Ids start at 1 and have gaps of 1 to 2 %, as at YTS.
    """
    missing = catalogue.ids[-1] - len(catalogue.ids)

    assert 0.01 < missing / len(catalogue.ids) < 0.02


def test_codes_and_hashes_are_unique(catalogue: Catalogue) -> None:
    """
    No two movies share an IMDb code, no two torrents a hash, no two actors a person code.
    """
    codes = [catalogue.imdb_code(movie_id) for movie_id in catalogue.ids]
    hashes = [torrent.hash for i in catalogue.ids for torrent in catalogue.torrents(i)]
    people = {(m.name, m.imdb_code) for i in catalogue.ids for m in catalogue.cast(i) or ()}

    assert len(set(codes)) == len(codes)
    assert len(set(hashes)) == len(hashes)
    assert len({name for name, _ in people}) == len({code for _, code in people}) == len(people)
    assert {len(code) for _, code in people} == {7, 8}
    assert catalogue.ids == [catalogue.find_imdb(code) for code in codes]


def test_actors_are_shared_and_some_have_many_roles(catalogue: Catalogue) -> None:
    """
    Casts overlap: many actors have one role, a few have very many.
    """
    parts = Counter(m.name for i in catalogue.ids for m in catalogue.cast(i) or ())
    busiest = max(parts.values())

    assert 10 < busiest < 100
    assert sum(count == 1 for count in parts.values()) > len(parts) / 10


@pytest.mark.parametrize(
    ("quirk", "key", "value"),
    [
        ("rating 0", "rating", 0),
        ("runtime 0", "runtime", 0),
        ("year 0", "year", 0),
        ("null title", "title", None),
        ("torrents null", "torrents", None),
        ("empty mpa_rating", "mpa_rating", ""),
        ("empty language", "language", ""),
        ("language cn", "language", "cn"),
        ("language eng", "language", "eng"),
        ("empty texts", "description_full", ""),
        ("cast empty", "cast", []),
    ],
)
def test_values_of_quirks(catalogue: Catalogue, quirk: str, key: str, value: object) -> None:
    """
    The first generated movies show one quirk each, in the order of the table.
    """
    assert movie_with(catalogue, quirk)[key] == value


@pytest.mark.parametrize("key", ["genres", "torrents", "cast"])
def test_absent_keys(catalogue: Catalogue, key: str) -> None:
    """
    Absent means that the key is not there, which is not the same as null.
    """
    assert key not in movie_with(catalogue, f"{key} absent")


def test_shapes_of_quirks(catalogue: Catalogue) -> None:
    """
    Titles, slugs, ratings and casts have the same oddities as at YTS.
    """
    nameless, undated = movie_with(catalogue, "null title"), movie_with(catalogue, "year 0")
    torrents = movie_with(catalogue, "torrents doubled")["torrents"]
    kinds = Counter((t["quality"], t["type"], t["video_codec"]) for t in torrents)

    assert nameless["title_long"] == f" ({nameless['year']})"
    assert nameless["slug"] == f"-{nameless['year']}"
    assert undated["title_long"].endswith(" (0000)")
    assert undated["slug"].endswith("-")
    assert isinstance(movie_with(catalogue, "whole rating")["rating"], int)
    assert not movie_with(catalogue, "accented title")["title"].isascii()
    assert movie_with(catalogue, "accented title")["slug"].isascii()
    assert 1 <= len(movie_with(catalogue, "short cast")["cast"]) <= 3
    assert len(movie_with(catalogue, "large cast")["cast"]) > 4
    assert max(kinds.values()) == 2


def test_two_movies_share_a_slug(catalogue: Catalogue) -> None:
    """
    A namesake has title and year of the movie before, so the slug is not unique.
    """
    start = len(FILMS) + len(QUIRKS)
    movie_id = next(i for i in catalogue.ids[start:] if NAMESAKE in catalogue.quirks(i))
    movie, neighbour = list_movie(catalogue, movie_id), list_movie(catalogue, movie_id - 1)

    assert movie_id - 1 in catalogue
    assert movie["slug"] == neighbour["slug"]
    assert movie["imdb_code"] != neighbour["imdb_code"]


def test_torrents_look_like_those_of_yts(catalogue: Catalogue) -> None:
    """
    Numbers that YTS sends as text are text, swarms stop at 100, sizes pass 2^31.
    """
    torrents = [torrent for i in catalogue.ids for torrent in catalogue.torrents(i)]

    assert {t.is_repack for t in torrents} == {"0", "1", ""}
    assert max(t.seeds for t in torrents) == 100
    assert max(t.size_bytes for t in torrents) > 2**31
    assert {t.format.quality for t in torrents} == {"720p", "1080p", "2160p", "3D"}
    assert all(t.size.split()[1] in ("MB", "GB") for t in torrents)
