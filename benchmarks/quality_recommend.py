"""How good recommendations are: those of the product, of its bare vectors, and of simpler ones."""

import time
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.databases import Databases
from benchmarks.quality_films import Film, row_ids, store
from benchmarks.quality_metrics import (
    DEPTH,
    Neighbours,
    mean_overlap,
    share_hit,
    share_within,
)
from benchmarks.quality_truth import Truth
from database.db import DatabaseManager, get_db_manager
from database.similar import similar_movies
from discovery.blocks import genre_block
from discovery.embedder import Embedder
from discovery.index import embed_all
from discovery.models import TextModel, Vectors, unit
from discovery.text import MovieText

_ROWS_AT_ONCE = 500
_SEED = 7
_SIZES = """
    SELECT pg_table_size('movie_embeddings') / 2 ^ 20, sum(pg_relation_size(indexrelid)) / 2 ^ 20
    FROM pg_stat_user_indexes WHERE indexrelname LIKE 'idx_movie_embeddings_vector_%%'
"""

#: Films that can be found, and the numbers of those that are asked about.
Finder = Callable[[Sequence[Film], Collection[int]], Neighbours]


@dataclass(frozen=True, slots=True)
class Quality:
    """Shares, 0 to 1."""

    overlap: float
    franchise: float
    #: Of films without cast among the ten of a film without cast.
    castless: float
    director: float
    keywords: float


def measure(find: Finder, films: Sequence[Film], truth: Truth) -> Quality:
    """Ask *find* for all lists that are judged."""
    tasted = [film for film in films if film.id in truth.taste]
    worded = [film for film in films if film.id in truth.keywords]
    asked = {*truth.franchise, *truth.director, *truth.asked_castless}
    among_all = find(films, asked)
    return Quality(
        mean_overlap(find(tasted, truth.taste), truth.taste),
        share_hit({it: among_all[it] for it in truth.franchise}, truth.franchise),
        share_within({it: among_all[it] for it in truth.asked_castless}, truth.castless),
        share_hit({it: among_all[it] for it in truth.director}, truth.director),
        truth.gain.gain(find(worded, truth.keywords)),
    )


def measure_all(
    full: DatabaseManager,
    databases: Databases,
    films: Sequence[Film],
    truth: Truth,
    model: TextModel,
) -> dict[str, dict[str, float]]:
    """Return the qualities of all that are compared; *full* holds all films."""
    texts = [_text(film) for film in films]
    recommend, search = Embedder(model).embed_movies(texts)
    dice = np.random.default_rng(_SEED)
    noise = dice.standard_normal((len(films), 32)).astype(np.float32)
    finders: dict[str, Finder] = {
        "chance": by_vectors(unit(noise)),
        # Many films have the same genres; among those chance decides.
        "genres alone": by_vectors(genre_block(texts) + 1e-4 * noise),
        "all as one text": by_vectors(model.embed([_one_text(film) for film in films])),
        "the vectors of search": by_vectors(search),
        "the vectors of recommend": by_vectors(recommend),
        "`similar`, as users get it": by_product(full, databases, model),
    }
    return {name: asdict(measure(find, films, truth)) for name, find in finders.items()}


def by_vectors(vectors: Vectors) -> Finder:
    """Return a finder by exact inner products; row n belongs to the film number n + 1."""

    def find(films: Sequence[Film], asked: Collection[int]) -> Neighbours:
        numbers = np.array([film.id for film in films])
        among = vectors[numbers - 1]
        found: dict[int, list[int]] = {}
        order = sorted(asked)
        for first in range(0, len(order), _ROWS_AT_ONCE):
            rows = np.array(order[first : first + _ROWS_AT_ONCE])
            nearness = vectors[rows - 1] @ among.T
            nearness[numbers[None, :] == rows[:, None]] = -np.inf
            for row, best in zip(rows, _best(nearness), strict=True):
                found[int(row)] = [int(it) for it in numbers[best]]
        return found

    return find


def by_product(full: DatabaseManager, databases: Databases, model: TextModel) -> Finder:
    """Return a finder by `similar_movies`; *full* holds all films, others are made as needed."""

    def find(films: Sequence[Film], asked: Collection[int]) -> Neighbours:
        if full.get_stats()["total_movies"] == len(films):
            return _similar(full, asked)
        with get_db_manager(database_url=databases.fresh("similar")) as db:
            store_and_embed(db, films, model)
            return _similar(db, asked)

    return find


def _similar(db: DatabaseManager, asked: Collection[int]) -> Neighbours:
    numbers = dict(row_ids(db))
    rows = {number: row for row, number in numbers.items()}
    with db.get_session() as session:
        return {
            film: [numbers[it.row_id] for it in similar_movies(session, rows[film], limit=DEPTH)]
            for film in asked
        }


def store_and_embed(
    db: DatabaseManager, films: Iterable[Film], model: TextModel
) -> dict[str, float]:
    """Save *films* and make their vectors, as a fetch does; return what that cost."""
    begun = time.monotonic()
    store(db, films)
    stored = time.monotonic()
    report = embed_all(db, Path(model.folder) if model.folder else None, workers=2)
    with db.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.exec_driver_sql("VACUUM ANALYZE")
        sizes = connection.exec_driver_sql(_SIZES).one()
    return {
        "storing, s": stored - begun,
        "vectors, indexes and words, s": report.seconds,
        **dict(zip(("vectors, MB", "their indexes, MB"), map(float, sizes), strict=True)),
    }


def _best(nearness: NDArray[np.float32]) -> NDArray[np.intp]:
    best = np.argpartition(-nearness, DEPTH, axis=1)[:, :DEPTH]
    order = np.argsort(-np.take_along_axis(nearness, best, axis=1), axis=1, kind="stable")
    return np.take_along_axis(best, order, axis=1)


def _text(film: Film) -> MovieText:
    return MovieText(film.title, film.year, film.genres, film.plot, film.cast)


def _one_text(film: Film) -> str:
    return " ".join((film.title, *film.genres, *film.cast, film.plot))
