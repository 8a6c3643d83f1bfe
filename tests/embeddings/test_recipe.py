"""What vectors are made of, whatever the model."""

from collections.abc import Sequence

import numpy as np
import pytest

from embeddings.blocks import cast_block, genre_block, year_block
from embeddings.embedder import Embedder
from embeddings.text import MovieText
from embeddings.vectors import Vectors, open_model, unit

FILM = MovieText("A Title", 1994, ("Crime", "Drama"), "Somebody does something.", ("Ann", "Bob"))


class FakeModel:
    """Four numbers a text: how many of four letters it has."""

    name, folder, hash, dimensions = "fake", None, "0", 4

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Return unit vectors; zeros for a text without any of the letters."""
        counts = [[text.lower().count(letter) for letter in "aeos"] for text in texts]
        return unit(np.array(counts, dtype=np.float32).reshape(len(texts), 4))


@pytest.fixture(scope="module")
def model():
    """The model that comes with the program."""
    return open_model()


def lengths(vectors: Vectors) -> list[float]:
    """Return the length of each row."""
    return [round(float(it), 5) for it in np.linalg.norm(vectors, axis=1)]


@pytest.mark.parametrize("block", [genre_block, year_block, cast_block])
def test_a_block_has_length_one_or_is_unknown(block):
    """Nothing known is zeros, not some average."""
    assert lengths(block([FILM, MovieText("Only a title")])) == [1.0, 0.0]


def test_a_movie_of_which_all_is_known_has_length_one():
    """The squared weights of the blocks add up to one; text alone is 1 of 1.75."""
    recommend, search = Embedder(FakeModel()).embed_movies([FILM, MovieText("A Title")])

    assert recommend.shape == (2, 4 + 108)
    assert search.shape == (2, 4)
    assert lengths(recommend) == [1.0, pytest.approx((1 / 1.75) ** 0.5, abs=1e-5)]
    assert lengths(search) == [1.0, 1.0]


def test_nothing_known_is_zeros():
    """An empty record gets no vector, and no NaN."""
    recommend, search = Embedder(FakeModel()).embed_movies([MovieText("")])

    assert not recommend.any()
    assert not search.any()


def test_the_order_of_genres_and_cast_does_not_matter(model):
    """YTS gives the cast in another order each time."""
    other = MovieText("A Title", 1994, ("Drama", "Crime"), FILM.description, ("Bob", "Ann"))

    ours, theirs = (Embedder(model).embed_movies([it])[0] for it in (FILM, other))

    assert float((ours @ theirs.T)[0, 0]) > 0.97


def test_times_are_near_to_their_neighbours():
    """Films of one decade are nearer than those of the next but one."""
    years = year_block([MovieText("", year) for year in (1994, 1996, 2010, 1930)])
    near, far, farther = (float(years[0] @ years[place]) for place in (1, 2, 3))

    assert 1 > near > far > farther >= 0


def test_names_and_genres_keep_their_places():
    """Vectors made by another process or a later version are compared with these."""
    signs = cast_block([MovieText("", cast=("Ann",))])[0]
    genres = genre_block([MovieText("", genres=("Western",)), MovieText("", genres=("Unheard",))])

    assert "".join("+" if it > 0 else "-" for it in signs[:16]) == "---+-+++--+---++"
    assert [int(it) for it in genres.argmax(axis=1)] == [26, 30]


def test_the_model_gives_unit_vectors_and_no_nan(model):
    """Also for texts without a token, in whatever company."""
    vectors = model.embed(["", "a hacker", "", "x" * 100_000, "😀"])

    assert np.isfinite(vectors).all()
    assert lengths(vectors)[:3] == [0.0, 1.0, 0.0]


def test_a_vector_does_not_depend_on_its_company(model):
    """Many at once or one by one."""
    texts = [f"{word} and some other words " * times for times, word in enumerate("abcdefgh", 1)]

    together = model.embed(texts)

    for text, vector in zip(texts, together, strict=True):
        assert np.allclose(model.embed([text])[0], vector, atol=1e-6)


def test_meaning_is_nearer_than_chance(model):
    """A query finds what it means, without a word in common."""
    plots = ["An astronaut is lost in space.", "Two people marry and are happy.", "A dog runs."]
    query = Embedder(model).embed_query("cosmonaut stranded on a rocket")

    assert query is not None
    assert int((model.embed(plots) @ np.array(query)).argmax()) == 0
    assert Embedder(model).embed_query("") is None
