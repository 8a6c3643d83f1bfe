"""Recommendations against tastes: one table for all ways to make them."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.markdown import table
from benchmarks.quality_films import Film
from benchmarks.quality_metrics import (
    Matrix,
    collections_of,
    directors_of,
    hit_rate,
    keyword_gain,
    nearest_lists,
    overlap,
    share_without_cast,
)
from discovery.blocks import genre_block
from discovery.text import MovieText

_HEAD = [
    "",
    "overlap@10 with co-ratings",
    "franchise hit@10",
    "director hit@10",
    "keyword gain",
    "without cast, of those without cast",
]
_LEAST_KEYWORDS = 4


def measure_tastes(
    films: Sequence[Film], data: Path, recommend: Matrix, one_string: Matrix, bonus: Matrix
) -> str:
    """Return the table; *bonus* is what ratings add to a similarity."""
    neighbours = read_neighbours(films, data)
    none = np.zeros(len(films), dtype=np.float32)
    genres = genre_block([MovieText("", genres=it.genres) for it in films])
    dice = np.random.default_rng(1).normal(size=(len(films), 8)).astype(np.float32)
    ways = {
        "random": (dice, none),
        "genres alone": (genres, none),
        "one string of all texts": (one_string, none),
        "*recommend*": (recommend, none),
        "*recommend*, ranked with ratings": (recommend, bonus),
    }
    rows = [_row(name, films, neighbours, *way) for name, way in ways.items()]
    none_known = sum(not it.cast for it in films) / len(films)
    goals = ["goal", "11.5 %", "86 %", "", "", f"55 % ({none_known:.0%} of all have none)"]
    return table(_HEAD, [*rows, goals])


def _row(
    name: str,
    films: Sequence[Film],
    neighbours: dict[int, list[int]],
    vectors: Matrix,
    bonus: Matrix,
) -> list[str]:
    everything = range(len(films))
    rated = sorted(neighbours)
    described = [it for it in everything if len(films[it].keywords) >= _LEAST_KEYWORDS]
    lists = nearest_lists(vectors, everything, everything, bonus)
    figures = (
        overlap(nearest_lists(vectors, rated, rated, bonus), neighbours),
        hit_rate(lists, collections_of(films)),
        hit_rate(lists, directors_of(films)),
        keyword_gain(nearest_lists(vectors, described, described, bonus), films, described),
        share_without_cast(lists, films),
    )
    return [name, *(f"{figure:.1%}" for figure in figures)]


def read_neighbours(films: Sequence[Film], data: Path) -> dict[int, list[int]]:
    """Return, by places, the films that those who like one like as well, the nearest first."""
    from pyarrow.parquet import read_table  # noqa: PLC0415 -- for this alone

    places = {it.movielens_id: place for place, it in enumerate(films) if it.movielens_id}
    rows = read_table(data / "neighbours_explicit.parquet").to_pylist()
    return {
        places[row["movielens_id"]]: [places[it] for it in row["ease"][:10] if it in places]
        for row in rows
        if row["movielens_id"] in places
    }
