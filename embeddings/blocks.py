"""`genre_block`, `year_block`, `cast_block`: parts of vectors that need no text model (pure)."""

import hashlib
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from embeddings.recipe import MovieText
from embeddings.vectors import Vectors, unit

#: Columns of genres in their block. New ones are added at the end, never moved.
_GENRES = (
    "Action", "Adventure", "Animation", "Biography", "Comedy", "Crime", "Documentary", "Drama",
    "Family", "Fantasy", "Film-Noir", "Game-Show", "History", "Horror", "Music", "Musical",
    "Mystery", "News", "Reality-TV", "Romance", "Sci-Fi", "Short", "Sport", "Talk-Show",
    "Thriller", "War", "Western",
)  # fmt: skip
_COLUMNS = {name: column for column, name in enumerate(_GENRES)}
GENRE_DIMENSIONS = 32
_DECADES = np.arange(1920, 2031, 10)
YEAR_DIMENSIONS = len(_DECADES)
#: In years: the width of the bell curve around each decade.
_YEAR_WIDTH = 8.0
CAST_DIMENSIONS = 64


def genre_block(movies: Sequence[MovieText]) -> Vectors:
    """Return the genres, shape (movies, 32), unit rows; zeros where none is known."""
    block = np.zeros((len(movies), GENRE_DIMENSIONS), dtype=np.float32)
    for row, movie in enumerate(movies):
        for genre in movie.genres:
            block[row, _column(genre)] = 1.0
    return unit(block)


def year_block(movies: Sequence[MovieText]) -> Vectors:
    """Return the closeness to each decade, shape (movies, 12), unit rows; zeros where unknown."""
    years = np.array([movie.year or np.nan for movie in movies], dtype=np.float32)
    distances = (years[:, None] - _DECADES[None, :]) / _YEAR_WIDTH
    return unit(np.nan_to_num(np.exp(-0.5 * distances**2)).astype(np.float32))


def cast_block(movies: Sequence[MovieText]) -> Vectors:
    """Return the cast, shape (movies, 64): the sum of a sign vector per name, unit rows."""
    block = np.zeros((len(movies), CAST_DIMENSIONS), dtype=np.float32)
    for row, movie in enumerate(movies):
        for name in movie.cast:
            block[row] += _signs(name)
    return unit(block)


def _column(genre: str) -> int:
    if (column := _COLUMNS.get(genre)) is not None:
        return column
    free = GENRE_DIMENSIONS - len(_GENRES)
    return len(_GENRES) + hashlib.sha256(genre.encode()).digest()[0] % free


@lru_cache(maxsize=50_000)
def _signs(name: str) -> Vectors:
    # SHA-256 is the same in every process and version of Python, unlike `hash`.
    digest = hashlib.sha256(name.encode()).digest()[: CAST_DIMENSIONS // 8]
    return np.unpackbits(np.frombuffer(digest, dtype=np.uint8)).astype(np.float32) * 2 - 1
