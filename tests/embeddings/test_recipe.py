"""`Embedder` and its blocks: lengths, zeros and order, with any model."""

from collections.abc import Sequence

import numpy as np
import pytest

from embeddings.blocks import cast_block, genre_block, year_block
from embeddings.embedder import Embedder
from embeddings.load import open_model
from embeddings.recipe import MovieText
from embeddings.vectors import Vectors, unit

FILM = MovieText("A Title", 1994, ("Crime", "Drama"), "A man does something.", ("Ann", "Bob"))


class FakeModel:
    """A model of four numbers: the counts of four letters in a text."""

    name, folder, hash, dimensions = "fake", None, "0", 4

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors; zeros for a text without any of the letters."""
        counts = [[text.lower().count(letter) for letter in "aeos"] for text in texts]
        return unit(np.array(counts, dtype=np.float32).reshape(len(texts), 4))


@pytest.fixture(scope="module")
def model():
    """Return the installed model."""
    return open_model()


def lengths(vectors: Vectors) -> list[float]:
    """Return the length of each row."""
    return [round(float(length), 5) for length in np.linalg.norm(vectors, axis=1)]


@pytest.mark.parametrize("block", [genre_block, year_block, cast_block])
def test_a_block_has_length_one_or_is_unknown(block):
    """If nothing is known, the block is zeros, not an average."""
    assert lengths(block([FILM, MovieText("Only a title")])) == [1.0, 0.0]


def test_a_completely_known_movie_has_length_one():
    """The squared weights of the blocks add up to one; text alone is 1 of 1.75."""
    recommend, search = Embedder(FakeModel()).embed_movies([FILM, MovieText("A Title")])

    assert recommend.shape == (2, 4 + 108)
    assert search.shape == (2, 4)
    assert lengths(recommend) == [1.0, pytest.approx((1 / 1.75) ** 0.5, abs=1e-5)]
    assert lengths(search) == [1.0, 1.0]


def test_an_unknown_movie_has_zeros():
    """An empty movie has zeros, not NaN."""
    recommend, search = Embedder(FakeModel()).embed_movies([MovieText("")])

    assert not recommend.any()
    assert not search.any()


def test_the_order_of_genres_and_cast_does_not_matter(model):
    """YTS gives the cast in another order in each response."""
    other = MovieText("A Title", 1994, ("Drama", "Crime"), FILM.description, ("Bob", "Ann"))

    ours, theirs = (Embedder(model).embed_movies([film])[0] for film in (FILM, other))

    assert float((ours @ theirs.T)[0, 0]) > 0.97


def test_near_years_have_near_vectors():
    """Movies of one decade are nearer than movies two decades apart."""
    years = year_block([MovieText("", year) for year in (1994, 1996, 2010, 1930)])
    near, far, farther = (float(years[0] @ years[row]) for row in (1, 2, 3))

    assert 1 > near > far > farther >= 0


def test_names_and_genres_keep_their_columns():
    """Vectors of other processes and later versions must be comparable with these."""
    signs = cast_block([MovieText("", cast=("Ann",))])[0]
    genres = genre_block([MovieText("", genres=("Western",)), MovieText("", genres=("Unheard",))])

    assert "".join("+" if sign > 0 else "-" for sign in signs[:16]) == "---+-+++--+---++"
    assert [int(column) for column in genres.argmax(axis=1)] == [26, 30]


def test_the_model_gives_unit_vectors_and_no_nan(model):
    """Also for texts without a token, among other texts."""
    vectors = model.embed(["", "a hacker", "", "x" * 100_000, "😀"])

    assert np.isfinite(vectors).all()
    assert lengths(vectors)[:3] == [0.0, 1.0, 0.0]


def test_a_vector_does_not_depend_on_other_texts(model):
    """Together or one by one, each text has the same vector."""
    texts = [f"{word} and some other words " * times for times, word in enumerate("abcdefgh", 1)]

    together = model.embed(texts)

    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(model.embed([text])[0], vector, atol=1e-6)


def test_meaning_is_nearer_than_chance(model):
    """A query finds a plot of the same meaning without a common word."""
    plots = ["An astronaut is lost in space.", "Two people marry and are happy.", "A dog runs."]
    query = Embedder(model).embed_query("cosmonaut stranded on a rocket")

    assert query is not None
    assert int((model.embed(plots) @ np.array(query)).argmax()) == 0
    assert Embedder(model).embed_query("") is None
