"""How good lists of neighbours are, against what is known of their films (pure)."""

import math
from collections import Counter, defaultdict
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence

#: How many of a list count.
DEPTH = 10

#: A film's number: those of its neighbours, the nearest first.
Neighbours = Mapping[int, Sequence[int]]


def mean_overlap(found: Neighbours, true: Mapping[int, Sequence[int]]) -> float:
    """Return which share of the ten truly nearest is among the ten found, 0 to 1."""
    return _mean(len({*found[film][:DEPTH]} & {*true[film][:DEPTH]}) / DEPTH for film in found)


def share_hit(found: Neighbours, wanted: Mapping[int, Collection[int]]) -> float:
    """Return for which share of films any of those wanted is among the ten found, 0 to 1."""
    return _mean(float(any(it in wanted[film] for it in found[film][:DEPTH])) for film in found)


def share_within(found: Neighbours, group: Collection[int]) -> float:
    """Return which share of all that was found belongs to *group*, 0 to 1."""
    return _mean(float(it in group) for film in found for it in found[film][:DEPTH])


def others_of_group(groups: Mapping[int, Iterable[Hashable]]) -> dict[int, set[int]]:
    """Return of each film the others with which it shares a group; films without are left out."""
    members = defaultdict(set)
    for film, of in groups.items():
        for group in of:
            members[group].add(film)
    others = {
        film: set().union(*(members[group] for group in of)) - {film} for film, of in groups.items()
    }
    return {film: near for film, near in others.items() if near}


class KeywordGain:
    """What films share in keywords with their neighbours, against the best that could be."""

    def __init__(self, keywords: Mapping[int, Collection[str]]) -> None:
        """*keywords* are those of all films that can be neighbours."""
        counts = Counter(word for of in keywords.values() for word in of)
        self._weights = {word: math.log(len(keywords) / count) for word, count in counts.items()}
        self._keywords = keywords
        self._lengths = {film: self._length(of) for film, of in keywords.items()}
        self._with = defaultdict(set)
        for film, of in keywords.items():
            for word in of:
                self._with[word].add(film)

    def gain(self, found: Neighbours) -> float:
        """Return the mean cosine of the ten found, divided by that of the best ten; 0 to 1."""
        reached = _mean(self._mean_cosine(film, near[:DEPTH]) for film, near in found.items())
        best = _mean(self._mean_cosine(film, self._best(film)) for film in found)
        return reached / best if best else 0.0

    def cosine(self, film: int, other: int) -> float:
        """Return how alike the keywords of two films are, the rare ones weighing most."""
        shared = {*self._keywords[film]} & {*self._keywords[other]}
        lengths = self._lengths[film] * self._lengths[other]
        return sum(self._weights[it] ** 2 for it in shared) / lengths if lengths else 0.0

    def _best(self, film: int) -> list[int]:
        candidates = set().union(*(self._with[word] for word in self._keywords[film])) - {film}
        return sorted(candidates, key=lambda it: -self.cosine(film, it))[:DEPTH]

    def _mean_cosine(self, film: int, others: Sequence[int]) -> float:
        return sum(self.cosine(film, it) for it in others) / DEPTH

    def _length(self, of: Collection[str]) -> float:
        return math.sqrt(sum(self._weights[it] ** 2 for it in of))


def _mean(values: Iterable[float]) -> float:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else 0.0
