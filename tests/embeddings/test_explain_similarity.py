"""`explain`: genres, cast, years and words that two movies have in common."""

from embeddings.explain_similarity import explain, words_of
from embeddings.load import open_model
from embeddings.recipe import MovieText

ONE = MovieText("One", 1994, ("Crime", "Drama"), "A detective chases a murderer.", ("Ann", "Bob"))
OTHER = MovieText("Other", 1999, ("Drama",), "The killer fears one detective.", ("Bob", "Eve"))


def test_shared_values_are_named_and_words_paired():
    """Pairs hold the same word twice, or two words of similar meaning."""
    weights = {"detective": 5.0, "murderer": 5.0, "killer": 4.0, "chases": 2.0, "fears": 2.0}

    why = explain(ONE, OTHER, open_model(), weights)

    assert (why.genres, why.cast, why.years_apart) == (("Drama",), ("Bob",), 5)
    assert why.words[0] == ("detective", "detective")
    assert ("murderer", "killer") in why.words


def test_movies_with_nothing_in_common_have_no_reasons():
    """An unknown year is not year 0, and words without a weight are not compared."""
    why = explain(ONE, MovieText("Third"), open_model(), {})

    assert (why.genres, why.cast, why.years_apart, why.words) == ((), (), None, ())


def test_short_words_are_not_compared():
    """Numbers and words of less than four letters are left out."""
    assert words_of(MovieText("It is 1994", description="A Cat sat, détente")) == {"détente"}
