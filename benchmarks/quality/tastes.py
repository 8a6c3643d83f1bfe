"""`measure_tastes`: the metrics of several ways to recommend movies."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.quality.real_films import Film
from benchmarks.quality.taste_metrics import (
    Matrix,
    collections_of,
    directors_of,
    hit_rate,
    keyword_gain,
    nearest_lists,
    overlap,
    share_without_cast,
)
from embeddings.blocks import genre_block
from embeddings.recipe import MovieText

OVERLAP, FRANCHISE = "overlap@10 with co-ratings", "franchise hit@10"
Figures = dict[str, float]
_LEAST_KEYWORDS = 4


def measure_tastes(
    films: Sequence[Film], data: Path, recommend: Matrix, one_string: Matrix, bonus: Matrix
) -> dict[str, Figures]:
    """Return the figures of each way to recommend; *bonus* is added to a similarity for ratings."""
    neighbours = read_neighbours(films, data)
    none = np.zeros(len(films), dtype=np.float32)
    genres = genre_block([MovieText("", genres=film.genres) for film in films])
    random_vectors = np.random.default_rng(1).normal(size=(len(films), 8)).astype(np.float32)
    ways = {
        "random": (random_vectors, none),
        "genres alone": (genres, none),
        "one string of all texts": (one_string, none),
        "*recommend*": (recommend, none),
        "*recommend*, ranked with ratings": (recommend, bonus),
    }
    return {name: _measure(films, neighbours, *way) for name, way in ways.items()}


def _measure(
    films: Sequence[Film], neighbours: dict[int, list[int]], vectors: Matrix, bonus: Matrix
) -> Figures:
    everything = range(len(films))
    rated = sorted(neighbours)
    described = [place for place in everything if len(films[place].keywords) >= _LEAST_KEYWORDS]
    lists = nearest_lists(vectors, everything, everything, bonus)
    near = nearest_lists(vectors, described, described, bonus)
    return {
        OVERLAP: overlap(nearest_lists(vectors, rated, rated, bonus), neighbours),
        FRANCHISE: hit_rate(lists, collections_of(films)),
        "director hit@10": hit_rate(lists, directors_of(films)),
        "keyword gain": keyword_gain(near, films, described),
        "without cast, of those without cast": share_without_cast(lists, films),
    }


def read_neighbours(films: Sequence[Film], data: Path) -> dict[int, list[int]]:
    """Return, by positions, the films that users who like a film also like, nearest first."""
    from pyarrow.parquet import read_table  # only needed here

    places = {film.movielens_id: place for place, film in enumerate(films) if film.movielens_id}
    rows = read_table(data / "neighbours_explicit.parquet").to_pylist()
    return {
        places[row["movielens_id"]]: [places[id_] for id_ in row["ease"][:10] if id_ in places]
        for row in rows
        if row["movielens_id"] in places
    }
