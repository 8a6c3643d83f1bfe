"""Why two movies are alike, in words (pure, but for the model that compares words)."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from embeddings.text import MovieText
from embeddings.vectors import TextModel

_WORD = re.compile(r"[^\W\d_]{4,}")
#: Pairs of words less alike than this say nothing.
_LEAST_LIKENESS = 0.5
_MOST_PAIRS = 3
#: The rarest of each plot that are compared.
_MOST_WORDS = 40


@dataclass(frozen=True, slots=True)
class Why:
    """What two movies have in common."""

    genres: tuple[str, ...]
    cast: tuple[str, ...]
    #: None where a year is unknown.
    years_apart: int | None
    #: A word of each plot; twice the same where both have it. The most telling first.
    words: tuple[tuple[str, str], ...]


def words_of(movie: MovieText) -> set[str]:
    """Return the words that may be compared, in lower case."""
    return {word.lower() for word in _WORD.findall(f"{movie.title} {movie.description}")}


def explain(
    one: MovieText, other: MovieText, model: TextModel, weights: Mapping[str, float]
) -> Why:
    """
    Return what *one* and *other* have in common.

    *weights* says how rare each word is, see `read_weights` of `database.search`; words without a
    weight are not compared.
    """
    years = None if one.year is None or other.year is None else abs(one.year - other.year)
    return Why(
        genres=tuple(sorted({*one.genres} & {*other.genres})),
        cast=tuple(sorted({*one.cast} & {*other.cast})),
        years_apart=years,
        words=_pair_words(_rarest(one, weights), _rarest(other, weights), model, weights),
    )


def _rarest(movie: MovieText, weights: Mapping[str, float]) -> list[str]:
    words = sorted(words_of(movie) & weights.keys(), key=lambda it: (-weights[it], it))
    return words[:_MOST_WORDS]


def _pair_words(
    ones: list[str], others: list[str], model: TextModel, weights: Mapping[str, float]
) -> tuple[tuple[str, str], ...]:
    if not ones or not others:
        return ()
    likeness = model.embed(ones) @ model.embed(others).T
    rarity = np.sqrt(np.outer([weights[it] for it in ones], [weights[it] for it in others]))
    pairs: list[tuple[str, str]] = []
    for place in np.argsort(-likeness * rarity, axis=None, kind="stable"):
        row, column = divmod(int(place), len(others))
        pair = ones[row], others[column]
        is_new = all(pair[0] != first and pair[1] != second for first, second in pairs)
        if likeness[row, column] >= _LEAST_LIKENESS and is_new:
            pairs.append(pair)
        if len(pairs) == _MOST_PAIRS:
            break
    return tuple(pairs)
