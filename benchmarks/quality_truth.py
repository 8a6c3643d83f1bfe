"""What is known of the films that no vector is made of: taste, franchises, directors, keywords."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.quality_films import Film
from benchmarks.quality_metrics import KeywordGain, others_of_group

#: Films with fewer say too little.
_FEWEST_KEYWORDS = 4
#: Of the many films, so many are asked about; the same ones each time.
_ASKED = 2000
_SEED = 5


@dataclass(frozen=True, slots=True)
class Truth:
    """Films by their numbers, and which others belong to them."""

    #: Those that people like who like this one, the strongest first.
    taste: dict[int, list[int]]
    franchise: dict[int, set[int]]
    #: Of a sample: others by any of its directors.
    director: dict[int, set[int]]
    castless: frozenset[int]
    asked_castless: list[int]
    keywords: dict[int, frozenset[str]]
    gain: KeywordGain


def read_truth(folder: Path, films: Sequence[Film]) -> Truth:
    """Return what *folder* knows of *films*."""
    from pyarrow import parquet  # noqa: PLC0415 -- only this benchmark needs it

    by_movielens: dict[int, int] = {}
    for film in films:
        if film.movielens_id is not None:
            by_movielens.setdefault(film.movielens_id, film.id)
    rows = parquet.read_table(folder / "neighbours_explicit.parquet").to_pylist()
    taste = {
        by_movielens[row["movielens_id"]]: [by_movielens[it] for it in row["ease"]] for row in rows
    }
    castless = [film.id for film in films if not film.cast]
    directed = others_of_group({film.id: film.directors for film in films})
    keywords = {it.id: it.keywords for it in films if len(it.keywords) >= _FEWEST_KEYWORDS}
    return Truth(
        taste,
        others_of_group({film.id: [film.collection] for film in films if film.collection}),
        {film: directed[film] for film in _sample(list(directed))},
        frozenset(castless),
        _sample(castless),
        keywords,
        KeywordGain(keywords),
    )


def _sample(films: list[int]) -> list[int]:
    dice = random.Random(_SEED)  # noqa: S311 -- a sample is no secret
    return sorted(dice.sample(films, min(_ASKED, len(films))))
