"""`fuse`: reciprocal-rank fusion, which makes one ranking from several; pure."""

from collections import defaultdict
from collections.abc import Hashable, Sequence
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)

#: The larger this is, the less the first ranks count against the others.
_K = 60
#: The score of a key that is first in both of two rankings.
BEST = 2 / (_K + 1)


def fuse(*orders: Sequence[Key]) -> dict[Key, float]:
    """Return the scores of all keys, best first; each ranking adds 1 / (60 + rank)."""
    scores: defaultdict[Key, float] = defaultdict(float)
    for order in orders:
        for rank, key in enumerate(order, start=1):
            scores[key] += 1 / (_K + rank)
    return dict(sorted(scores.items(), key=lambda item: -item[1]))
