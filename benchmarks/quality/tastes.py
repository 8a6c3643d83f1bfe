"""`measure_tastes`, `taste_table`: the metrics of several ways to recommend films."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import fmean

from benchmarks.markdown import table
from benchmarks.quality.bootstrap import limits
from benchmarks.quality.real_films import Film
from benchmarks.quality.taste_metrics import (
    PerFilm,
    collections_of,
    directors_of,
    first_hits,
    hits,
    keyword_gains,
    overlaps,
    shares_with_few_votes,
    shares_without_cast,
)
from benchmarks.quality.ways import Pool, Way

OVERLAP, FRANCHISE = "overlap@10 with co-ratings", "franchise hit@10"
#: The figures of one way, each for all films that have it.
Figures = dict[str, PerFilm]


def measure_tastes(
    films: Sequence[Film],
    neighbours: Mapping[int, Sequence[int]],
    pools: Mapping[str, Pool],
    ways: Mapping[str, Way],
) -> dict[str, Figures]:
    """Return the figures of each way to recommend."""
    return {name: _measure(films, neighbours, pools, way) for name, way in ways.items()}


def _measure(
    films: Sequence[Film],
    neighbours: Mapping[int, Sequence[int]],
    pools: Mapping[str, Pool],
    way: Way,
) -> Figures:
    lists, described = way(pools["all"]), pools["described"]
    franchises = collections_of(films)
    return {
        OVERLAP: overlaps(way(pools["rated"]), neighbours),
        FRANCHISE: hits(lists, franchises),
        "franchise first": first_hits(lists, franchises),
        "few votes, for known films": shares_with_few_votes(lists, films),
        "director hit@10": hits(lists, directors_of(films)),
        "keyword gain": keyword_gains(way(described), films, described.members),
        "without cast, of those without cast": shares_without_cast(lists, films),
    }


def taste_table(tastes: Mapping[str, Figures]) -> str:
    """Return the mean of each figure in percent, with its 95 % interval, as Markdown."""
    rows = [[way, *map(_interval, figures.values())] for way, figures in tastes.items()]
    return table(["", *next(iter(tastes.values()))], rows)


def gain_table(before: Figures, after: Figures) -> str:
    """Return by how many points each figure became larger, for the same films, as Markdown."""
    rows = [[name, _difference(before[name], after[name])] for name in before]
    return table(["", "difference"], rows)


def _interval(figure: PerFilm) -> str:
    values = [100 * value for value in figure.values()]
    low, high = limits(values)
    return f"{fmean(values):.1f} [{low:.1f}, {high:.1f}]"


def _difference(before: PerFilm, after: PerFilm) -> str:
    values = [100 * (after[place] - before[place]) for place in before if place in after]
    low, high = limits(values)
    return f"{fmean(values):+.1f} [{low:+.1f}, {high:+.1f}]"


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
