"""`explain_similar`: genres, cast, years and words that two movies have in common."""

from typing import Any

from sqlalchemy import select

from database.db import DatabaseManager
from database.models import Movie
from database.search.similar.facts import Facts
from database.search.similar.reasons import Why, reasons_of
from database.search.word_counts import refresh_words
from embeddings.explain_similarity import explain_similar, words_of
from embeddings.load import open_model
from tests.support.data.movies import movie, person, save


def explain(db: DatabaseManager, *movies: dict[str, Any]) -> list[Why]:
    """Save *movies*, with ids from 1, and return what the others share with the first one."""
    save(db, *(movie(number, **facts) for number, facts in enumerate(movies, start=1)))
    with db.get_session() as session:
        refresh_words(session, is_full=True)
        ids = list(session.scalars(select(Movie.id).order_by(Movie.external_id)))
        return explain_similar(session, open_model(), [(ids[0], other) for other in ids[1:]])


def test_shared_values_are_named_and_words_paired(db: DatabaseManager):
    """Pairs hold the same word twice, or two words of similar meaning."""
    why, *_ = explain(
        db,
        {"title": "One", "year": 1994, "genres": ["Crime", "Drama"], "cast": [person(1), person(2)],
         "description_full": "A detective chases a murderer."},
        {"title": "Other", "year": 1991, "genres": ["Drama"], "cast": [person(2), person(3)],
         "description_full": "The killer fears one detective."},
        *({"title": f"Shore {number}"} for number in range(8)),
    )  # fmt: skip

    assert (why.genres, len(why.cast), why.years_later) == (("Drama",), 1, -3)
    assert why.words[0] == ("detective", "detective")
    assert ("murderer", "killer") in why.words


def test_forms_of_one_word_are_one_word(db: DatabaseManager):
    """It is said once, and in its shortest form."""
    (why,) = explain(
        db,
        {"title": "One", "description_full": "Hunters hunting pirates: a hunter hunts."},
        {"title": "Other", "description_full": "The pirate is hunted by hunters who hunt pirates."},
    )

    assert ("pirate", "pirate") in why.words
    said = [word for pair in why.words for word in {*pair}]
    assert len(said) == len(set(said))
    assert not {"hunting", "hunters", "pirates", "hunted"} & {*said}


def test_words_of_many_movies_are_not_said(db: DatabaseManager):
    """A word in more than one of a hundred movies says nothing; ten movies are always few."""
    plots = [f"A lighthouse and a submarine {'m' * n}." for n in range(10)]
    plots += [f"A lighthouse {'k' * n}." for n in range(3)]
    whys = explain(db, *({"title": "Shore", "description_full": plot} for plot in plots))

    assert all(("submarine", "submarine") in why.words for why in whys[:9])
    assert all("lighthouse" not in pair for why in whys for pair in why.words)


def test_movies_with_nothing_in_common_have_no_reasons(db: DatabaseManager):
    """An unknown year is not year 0."""
    (why,) = explain(
        db,
        {"title": "One", "genres": ["Crime"], "cast": [], "description_full": "Whales."},
        {"title": "Third", "genres": ["War"], "cast": [], "description_full": "", "year": 0},
    )

    assert why == Why()
    assert reasons_of(why) == []


def test_reasons_are_said_in_words():
    """People, words, genres and years, in this order; a pair of equal words is one word."""
    why = Why(("Crime", "Drama"), ("A", "B"), 2, (("head", "head"), ("sea", "ship")))

    assert "; ".join(reasons_of(why)) == (
        "also with A, B; also about head, sea / ship; also Crime, Drama; 2 years later"
    )
    years = {0: "the same year", 1: "1 year later", -1: "1 year earlier", -3: "3 years earlier"}
    assert {later: reasons_of(Why(years_later=later)) for later in years} == {
        later: [text] for later, text in years.items()
    }


def test_short_words_are_not_compared():
    """Numbers and words of less than four letters are left out."""
    facts = Facts("It is 1994", None, "A Cat sat, détente", (), ())
    assert words_of(facts) == {"détente"}
