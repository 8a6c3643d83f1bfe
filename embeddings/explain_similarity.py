"""`explain_similar`: the genres, cast, years and words that movies have in common with one."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from embeddings.recipe import MovieText
from embeddings.vectors import Vectors

_WORD = re.compile(r"[^\W\d_]{4,}")
#: Minimum cosine similarity of a pair of words.
_LEAST_SIMILARITY = 0.5
_MOST_PAIRS = 3
#: Only the rarest words of each plot are compared.
_MOST_WORDS = 40


class WordModel(Protocol):
    """Makes vectors of words, as a `TextModel` does."""

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Return unit vectors, one for each text."""


@dataclass(frozen=True, slots=True)
class Why:
    """What two movies have in common."""

    genres: tuple[str, ...]
    cast: tuple[str, ...]
    #: None if a year is unknown.
    years_apart: int | None
    #: Pairs of words, one from each plot (the same word twice if both have it), best match first.
    words: tuple[tuple[str, str], ...]


def words_of(movie: MovieText) -> set[str]:
    """Return the words that may be compared, in lower case."""
    return {word.lower() for word in _WORD.findall(f"{movie.title} {movie.description}")}


def explain_similar(
    texts: Sequence[MovieText],
    model: WordModel | None,
    read_weights: Callable[[Sequence[str]], Mapping[str, float]],
) -> list[Why]:
    """
    Return what each movie after the first one has in common with the first one.

    *read_weights* returns how rare words are; without a *model*, words are not compared.
    """
    words = set().union(*map(words_of, texts)) if model else set()
    weights = read_weights(sorted(words))
    compared = sorted(set().union(*(_rarest(text, weights) for text in texts)))
    # One call of the model for all texts: each has its cost.
    vectors = _WordVectors(compared, model) if model and compared else None
    return [explain(texts[0], text, vectors, weights) for text in texts[1:]]


class _WordVectors:
    """The vectors of some words, made before they are needed."""

    def __init__(self, words: Sequence[str], model: WordModel) -> None:
        self._places = {word: place for place, word in enumerate(words)}
        self._vectors = model.embed(words)

    def embed(self, texts: Sequence[str], /) -> Vectors:
        return self._vectors[[self._places[word] for word in texts]]


def explain(
    one: MovieText, other: MovieText, model: WordModel | None, weights: Mapping[str, float]
) -> Why:
    """
    Return what *one* and *other* have in common.

    *weights* has the rarity of each word, see `MovieRepository.read_weights`; words without a
    weight are not compared, and none without a *model*.
    """
    years = None if one.year is None or other.year is None else abs(one.year - other.year)
    return Why(
        genres=tuple(sorted({*one.genres} & {*other.genres})),
        cast=tuple(sorted({*one.cast} & {*other.cast})),
        years_apart=years,
        words=_pair_words(_rarest(one, weights), _rarest(other, weights), model, weights),
    )


def _rarest(movie: MovieText, weights: Mapping[str, float]) -> list[str]:
    words = sorted(words_of(movie) & weights.keys(), key=lambda word: (-weights[word], word))
    return words[:_MOST_WORDS]


def _pair_words(
    ones: list[str], others: list[str], model: WordModel | None, weights: Mapping[str, float]
) -> tuple[tuple[str, str], ...]:
    if model is None or not ones or not others:
        return ()
    similarity = model.embed(ones) @ model.embed(others).T
    rarity = np.sqrt(np.outer([weights[word] for word in ones], [weights[word] for word in others]))
    pairs: list[tuple[str, str]] = []
    for index in np.argsort(-similarity * rarity, axis=None, kind="stable"):
        row, column = divmod(int(index), len(others))
        pair = ones[row], others[column]
        is_new = all(pair[0] != first and pair[1] != second for first, second in pairs)
        if similarity[row, column] >= _LEAST_SIMILARITY and is_new:
            pairs.append(pair)
        if len(pairs) == _MOST_PAIRS:
            break
    return tuple(pairs)
