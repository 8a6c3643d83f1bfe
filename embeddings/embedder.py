"""`Embedder`: make the two vectors of a movie from its parts, and the vector of a query."""

from collections.abc import Sequence

import numpy as np

from database.vectors.spaces import Space
from embeddings.blocks import (
    CAST_DIMENSIONS,
    GENRE_DIMENSIONS,
    YEAR_DIMENSIONS,
    cast_block,
    genre_block,
    year_block,
)
from embeddings.recipe import RECIPE, MovieText
from embeddings.vectors import TextModel, Vectors, unit

_ADDED = GENRE_DIMENSIONS + YEAR_DIMENSIONS + CAST_DIMENSIONS
#: Weights of the blocks text, genres, year, cast; the squares add up to 1.
_WEIGHTS = np.sqrt(np.array([1.0, 0.25, 0.25, 0.25]) / 1.75).astype(np.float32)


class Embedder:
    """
    Makes vectors of movies and of queries with one model.

    *recommend* has the dimensions of the model plus 108, and length 1 if text, genres, year and
    cast are known, less if not. *search* has length 1. Compare them by inner product; zeros mean
    that nothing is known.
    """

    recipe = RECIPE

    def __init__(self, model: TextModel, space: Space | None = None) -> None:
        """Use *model* for all texts; *space* has the vectors of movies, None before there are."""
        self.model = model
        self.space = space
        self.recommend_dimensions = model.dimensions + _ADDED
        self.search_dimensions = model.dimensions

    def embed_movies(self, movies: Sequence[MovieText]) -> tuple[Vectors, Vectors]:
        """Return *recommend*, shape (movies, dimensions + 108), and *search*."""
        plot = self.model.embed([movie.description for movie in movies])
        title = self.model.embed([movie.title for movie in movies])
        genres = self.model.embed([" ".join(movie.genres) for movie in movies])
        people = self.model.embed([" ".join(movie.cast) for movie in movies])
        text = unit(plot + 0.4 * title + 0.2 * genres + 0.3 * people)
        blocks = (text, genre_block(movies), year_block(movies), cast_block(movies))
        weighted = [weight * block for weight, block in zip(_WEIGHTS, blocks, strict=True)]
        return np.concatenate(weighted, axis=1), unit(plot + 0.2 * title)

    def embed_query(self, query: str) -> list[float] | None:
        """Return the vector of a query in the space of *search*; None if it has no known token."""
        (vector,) = self.model.embed([query])
        return vector.tolist() if vector.any() else None
