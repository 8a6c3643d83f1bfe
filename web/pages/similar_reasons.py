"""`reason_of`: what two movies have in common, in one line."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # Without numpy there is nothing to explain.
    from embeddings.explain_similarity import Why

#: Of names and of words, and parts of a line.
_MOST = 2
#: Words that begin alike are forms of one word.
_ALIKE = 4


def reason_of(why: "Why | None") -> str:
    """Return the best reasons in words; empty if there are none."""
    if why is None:
        return ""
    cast, genres = why.cast, why.genres
    # Forms of one word may be in several pairs.
    words = list({word[:_ALIKE]: word for word in (_word_of(*pair) for pair in why.words)}.values())
    parts = [
        f"also with {_joined(cast[:_MOST])}" if cast else "",
        f"also about {_joined(words[:_MOST])}" if words else "",
        f"also {_joined(genres)}" if genres else "",
    ]
    line = "; ".join([part for part in parts if part][:_MOST])
    return line[:1].upper() + line[1:]


def _word_of(one: str, other: str) -> str:
    """Return a pair of words of two plots as one text."""
    return one if one[:_ALIKE] == other[:_ALIKE] else f"{one} / {other}"


def _joined(texts: Sequence[str]) -> str:
    return ", ".join(texts)
