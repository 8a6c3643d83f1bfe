"""What the figures about quality mean, by examples that can be counted on fingers."""

from random import Random

import pytest

from benchmarks.quality_films import Film
from benchmarks.quality_metrics import (
    KeywordGain,
    mean_overlap,
    others_of_group,
    share_hit,
    share_within,
)
from benchmarks.quality_mixing import mix
from benchmarks.quality_typos import KINDS, misspell
from database.edits import count_edits


def film(number: int, **told: object) -> Film:
    """Return a film of which only *told* is known."""
    known = {
        "id": number, "title": f"Film {number}", "year": 1990, "genres": ("Drama",),
        "plot": "", "cast": (), "imdb_code": None, "rating": 7.0, "language": "en",
        "runtime": None, "collection": None, "directors": frozenset(),
        "keywords": frozenset(), "movielens_id": None,
    }  # fmt: skip
    return Film(**{**known, **told})  # type: ignore[arg-type]


def test_overlap_counts_the_first_ten_of_both():
    """
    What comes after the tenth of either list does not count; fewer than ten found is no excuse.
    """
    true = {1: list(range(100, 120)), 2: list(range(200, 220))}

    assert mean_overlap({1: list(range(100, 110)), 2: list(range(210, 220))}, true) == 0.5
    assert mean_overlap({1: [9] * 10 + [100]}, true) == 0.0
    assert mean_overlap({1: [100, 101]}, true) == pytest.approx(0.2)


def test_one_of_those_wanted_is_a_hit():
    """
    Within the first ten, not after.
    """
    found = {1: [5, 6], 2: [7], 3: [*range(50, 60), 8]}

    assert share_hit(found, {1: {6}, 2: {1}, 3: {8}}) == pytest.approx(1 / 3)


def test_the_share_of_a_group_is_of_all_that_was_found():
    """
    Films with short lists weigh less.
    """
    assert share_within({1: [10, 11, 12], 2: [10]}, {10}) == 0.5


def test_others_of_a_group_never_hold_the_film_itself():
    """
    A film that is alone in its groups has no others, and is left out.
    """
    assert others_of_group({1: ["a"], 2: ["a", "b"], 3: ["b"], 4: ["c"]}) == {
        1: {2},
        2: {1, 3},
        3: {2},
    }


def test_the_best_neighbours_gain_all_and_strangers_nothing():
    """
    The scale reaches from 0 to 1, and a word that all films have says nothing.
    """
    keywords = {it: {"all", "a" if it % 2 else "b"} for it in range(24)}
    gain = KeywordGain(keywords).gain

    assert gain({0: list(range(2, 22, 2))}) == pytest.approx(1.0)
    assert gain({0: list(range(1, 21, 2))}) == 0.0
    assert gain({0: [2, 4, 6, 8, 10, 1, 3, 5, 7, 9]}) == pytest.approx(0.5)


@pytest.mark.parametrize("kind", KINDS)
def test_a_misspelt_title_has_one_error(kind: str):
    """
    Exactly one, of its kind, and never in a word of three letters.
    """
    for seed in range(50):
        wrong = misspell("The Big Lebowski", kind, Random(seed))

        assert wrong is not None
        assert wrong.startswith("The Big ")
        assert count_edits("the big lebowski", wrong.lower()) == 1
        assert len(wrong) - 16 == {"left out": -1, "added": 1}.get(kind, 0)
    assert misspell("Up", kind, Random(1)) is None


def test_mixed_films_follow_the_real_ones():
    """
    The same each time, numbered on, and made of nothing that real ones do not have.
    """
    films = [film(1, plot="One. Two.", cast=("A", "B")), film(2, plot="Three. Four.", title="Up")]

    mixed = list(mix(films, 40))

    assert mixed[:2] == films
    assert [it.id for it in mixed] == list(range(1, 41))
    assert mixed == list(mix(films, 40))
    assert {name for it in mixed for name in it.cast} == {"A", "B"}
    assert {*" ".join(it.plot for it in mixed).split()} == {"One.", "Two.", "Three.", "Four."}
    assert len({it.plot for it in mixed}) > 4
