"""`explain_similar`: the genres, cast, years and words that pairs of movies have in common."""

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

import numpy as np
from sqlalchemy.orm import Session

from database.search.similar.facts import Facts, RareWord, read_facts, read_rare_words
from database.search.similar.reasons import Why
from embeddings.vectors import Vectors

_WORD = re.compile(r"[^\W\d_]{4,}")
#: Minimum cosine similarity of a pair of words.
_LEAST_SIMILARITY = 0.5
_MOST_PAIRS = 3
#: Only the rarest words of each plot are compared.
_MOST_WORDS = 40
#: Of a movie that was deleted meanwhile.
_UNKNOWN = Facts("", None, "", (), ())


class WordModel(Protocol):
    """Makes vectors of words, as a `TextModel` does."""

    def embed(self, texts: Sequence[str], /) -> Vectors:
        """Return unit vectors, one for each text."""


def explain_similar(
    session: Session, model: WordModel | None, pairs: Sequence[tuple[int, int]]
) -> list[Why]:
    """
    Return what the second movie of each pair of `movies.id` has in common with the first one.

    Without a *model*, words are not compared.
    """
    facts = read_facts(session, {row_id for pair in pairs for row_id in pair})
    found = {row_id: words_of(each) for row_id, each in facts.items()} if model else {}
    rare = read_rare_words(session, sorted(set().union(*found.values()))) if found else {}
    words = {row_id: _rarest(each, rare) for row_id, each in found.items()}
    compared = sorted(set().union(*words.values()))
    # One call of the model for all texts: each has its cost.
    vectors = dict(zip(compared, model.embed(compared), strict=True)) if model and compared else {}
    return [
        _explain(
            facts.get(one, _UNKNOWN),
            facts.get(other, _UNKNOWN),
            _pair_words(words.get(one, []), words.get(other, []), vectors, rare),
        )
        for one, other in pairs
    ]


def words_of(movie: Facts) -> set[str]:
    """Return the words that may be compared, in lower case."""
    return {word.lower() for word in _WORD.findall(f"{movie.title} {movie.plot}")}


def _explain(one: Facts, other: Facts, words: tuple[tuple[str, str], ...]) -> Why:
    return Why(
        genres=tuple(name for name in other.genres if name in one.genres),
        cast=tuple(name for name in other.cast if name in one.cast),
        years_later=None if one.year is None or other.year is None else other.year - one.year,
        words=words,
    )


def _rarest(words: Collection[str], rare: Mapping[str, RareWord]) -> list[str]:
    """Return the rarest of *words*, of each only the shortest form."""
    by_length = sorted(words & rare.keys(), key=lambda word: (len(word), word), reverse=True)
    forms = {rare[word].stem: word for word in by_length}
    return sorted(forms.values(), key=lambda word: (-rare[word].rarity, word))[:_MOST_WORDS]


def _pair_words(
    ones: list[str], others: list[str], vectors: Mapping[str, Vectors], rare: Mapping[str, RareWord]
) -> tuple[tuple[str, str], ...]:
    """Return the best pairs; no word is in two of them, and forms of one word are one word."""
    if not ones or not others:
        return ()
    similarity = (
        np.stack([vectors[word] for word in ones]) @ np.stack([vectors[word] for word in others]).T
    )
    rarity = np.sqrt(
        np.outer([rare[word].rarity for word in ones], [rare[word].rarity for word in others])
    )
    pairs: list[tuple[str, str]] = []
    seen: set[str] = set()
    near = np.argwhere(similarity >= _LEAST_SIMILARITY)
    scores = (similarity * rarity)[tuple(near.T)]
    for row, column in near[np.argsort(-scores, kind="stable")]:
        one, other = ones[row], others[column]
        stems = {rare[one].stem, rare[other].stem}
        if not stems & seen:
            shortest = min(one, other, key=len)
            pairs.append((one, other) if len(stems) > 1 else (shortest, shortest))
            seen |= stems
        if len(pairs) == _MOST_PAIRS:
            break
    return tuple(pairs)
