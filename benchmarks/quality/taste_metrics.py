"""Metrics of recommendations by ratings and facts that are not part of the vectors (pure)."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.quality.real_films import Film

#: For each film, by its position: the positions of the recommended films.
Lists = Mapping[int, Sequence[int]]
Matrix = NDArray[np.float32]

_AT_ONCE = 500


def nearest_lists(
    vectors: Matrix, places: Sequence[int], among: Sequence[int], bonus: Matrix, count: int = 10
) -> dict[int, list[int]]:
    """Return the *count* best of *among* for each of *places*, in any order."""
    pool = np.array(among)
    lists: dict[int, list[int]] = {}
    for first in range(0, len(places), _AT_ONCE):
        part = list(places[first : first + _AT_ONCE])
        scores = vectors[part] @ vectors[pool].T + bonus[pool]
        for row, place in enumerate(part):
            scores[row, pool == place] = -np.inf
        best = np.argpartition(-scores, count, axis=1)[:, :count]
        lists |= {place: pool[best[row]].tolist() for row, place in enumerate(part)}
    return lists


def overlap(lists: Lists, neighbours: Mapping[int, Sequence[int]]) -> float:
    """Return the share of the ten true neighbours among the ten that are recommended."""
    shares = [len({*lists[place]} & {*near[:10]}) / 10 for place, near in neighbours.items()]
    return sum(shares) / len(shares)


def hit_rate(lists: Lists, groups: Mapping[int, Sequence[int]]) -> float:
    """Return the share of films that have another one of their group among the recommended ones."""
    hits = [bool({*lists[place]} & {*group}) for place, group in groups.items()]
    return sum(hits) / len(hits)


def collections_of(films: Sequence[Film]) -> dict[int, list[int]]:
    """Return the other films of its franchise for each film that has one."""
    return _others([{film.collection} if film.collection else set() for film in films])


def directors_of(films: Sequence[Film]) -> dict[int, list[int]]:
    """Return the other films of its directors for each film that has some."""
    return _others([{*film.directors} for film in films])


def _others(names: Sequence[set[str]]) -> dict[int, list[int]]:
    members: defaultdict[str, list[int]] = defaultdict(list)
    for place, own in enumerate(names):
        for name in own:
            members[name].append(place)
    groups = {
        place: sorted({member for name in own for member in members[name]} - {place})
        for place, own in enumerate(names)
    }
    return {place: group for place, group in groups.items() if group}


def share_without_cast(lists: Lists, films: Sequence[Film]) -> float:
    """Return the share of films without cast among those recommended for films without cast."""
    shares = [
        sum(not films[other].cast for other in near) / len(near)
        for place, near in lists.items()
        if not films[place].cast
    ]
    return sum(shares) / len(shares)


def keyword_gain(lists: Lists, films: Sequence[Film], among: Sequence[int]) -> float:
    """Return how similar the keywords of recommended films are, as a share of the best possible."""
    known = Counter(word for place in among for word in films[place].keywords)
    rarity = {word: math.log(len(among) / count) for word, count in known.items()}
    columns = {word: number for number, word in enumerate(known)}
    rows = np.zeros((len(among), len(columns)), dtype=np.float32)
    for row, place in enumerate(among):
        for word in films[place].keywords:
            rows[row, columns[word]] = rarity[word]
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    rows = np.divide(rows, lengths, out=rows, where=lengths > 0)
    row_of = {place: row for row, place in enumerate(among)}
    gained = possible = 0.0
    for row, place in enumerate(among):
        likeness = rows @ rows[row]
        likeness[row] = 0
        gained += float(likeness[[row_of[other] for other in lists[place]]].sum())
        possible += float(np.sort(likeness)[-len(lists[place]) :].sum())
    return gained / possible
