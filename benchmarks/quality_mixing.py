"""More films than there are, each mixed from two: their vectors lie as those of real ones do."""

import random
import re
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from benchmarks.quality_films import Film

_SEED = 3
_SENTENCE = re.compile(r"(?<=[.!?])\s+")
_FIRST_YEAR, _LAST_YEAR = 1920, 2026


def mix(films: Sequence[Film], count: int) -> Iterator[Film]:
    """
    Yield the *films* themselves, then made-up ones until there are *count*; the same each time.

    Half of the sentences of a plot come from one film, half from another of the same first
    genre; so do title and cast. Genres are those of the first, and so is the year, about.
    """
    yield from films[:count]
    dice = random.Random(_SEED)  # noqa: S311 -- no secret
    alike = defaultdict(list)
    for film in films:
        alike[film.genres[:1]].append(film)
    for number in range(len(films) + 1, count + 1):
        first = dice.choice(films)
        yield _mixed(number, first, dice.choice(alike[first.genres[:1]]), dice)


def _mixed(number: int, first: Film, second: Film, dice: random.Random) -> Film:
    year = None
    if first.year is not None:
        year = min(max(first.year + dice.randint(-4, 4), _FIRST_YEAR), _LAST_YEAR)
    cast = dict.fromkeys((*_half(first.cast, dice), *_half(second.cast, dice)))
    rating = dice.gauss(first.rating, 0.5) if first.rating else None
    return replace(
        first,
        id=number,
        title=" ".join((*_half(first.title.split(), dice), *_half(second.title.split(), dice))),
        year=year,
        plot=" ".join((*_half(_sentences(first), dice), *_half(_sentences(second), dice))),
        cast=tuple(cast),
        imdb_code=None,
        rating=None if rating is None else round(min(max(rating, 1.0), 10.0), 1),
        movielens_id=None,
    )


def _sentences(film: Film) -> list[str]:
    return _SENTENCE.split(film.plot)


def _half(parts: Sequence[str], dice: random.Random) -> list[str]:
    """Return half of *parts*, rounded up, in their order."""
    chosen = dice.sample(range(len(parts)), -(-len(parts) // 2))
    return [parts[i] for i in sorted(chosen)]
