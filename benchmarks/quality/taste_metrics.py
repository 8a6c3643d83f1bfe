"""Metrics of recommendations by ratings and facts that are not part of the vectors (pure)."""

import math
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

import numpy as np

from benchmarks.quality.real_films import Film
from benchmarks.quality.ways import Lists

#: A figure of each film, by its position.
PerFilm = dict[int, float]
#: Numbers of votes: of a film that is known, and of one that hardly anybody knows.
_KNOWN, _FEW = 1000, 20


def overlaps(lists: Lists, neighbours: Mapping[int, Sequence[int]]) -> PerFilm:
    """Return the share of the ten true neighbours among the ten that are recommended."""
    return {place: len({*near} & {*neighbours[place][:10]}) / 10 for place, near in lists.items()}


def hits(lists: Lists, groups: Mapping[int, Sequence[int]]) -> PerFilm:
    """Return 1 for films that have another one of their group among the recommended ones."""
    return {
        place: float(bool({*near} & {*groups[place]}))
        for place, near in lists.items()
        if place in groups
    }


def first_hits(lists: Lists, groups: Mapping[int, Sequence[int]]) -> PerFilm:
    """Return 1 for films whose first recommended film is another one of their group."""
    return hits({place: near[:1] for place, near in lists.items()}, groups)


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


def shares_with_few_votes(lists: Lists, films: Sequence[Film]) -> PerFilm:
    """Return the share of films with fewer than 20 votes, for films with at least 1,000."""
    known = {place: near for place, near in lists.items() if (films[place].votes or 0) >= _KNOWN}
    votes = {
        place: [count for other in near if (count := films[other].votes) is not None]
        for place, near in known.items()
    }
    return {
        place: sum(count < _FEW for count in counts) / len(counts)
        for place, counts in votes.items()
        if counts
    }


def shares_without_cast(lists: Lists, films: Sequence[Film]) -> PerFilm:
    """Return the share of films without cast among those recommended for films without cast."""
    return {
        place: sum(not films[other].cast for other in near) / len(near)
        for place, near in lists.items()
        if not films[place].cast
    }


def keyword_gains(lists: Lists, films: Sequence[Film], among: Sequence[int]) -> PerFilm:
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
    gains: PerFilm = {}
    for place, near in lists.items():
        likeness = rows @ rows[row_of[place]]
        likeness[row_of[place]] = 0
        possible = float(np.sort(likeness)[-len(near) :].sum())
        if possible:
            gained = float(likeness[[row_of[other] for other in near]].sum())
            gains[place] = gained / possible
    return gains
