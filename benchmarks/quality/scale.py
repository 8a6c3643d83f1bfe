"""`measure_recall`, `measure_latency`: searches in a large catalogue, made by `mix`."""

import random
import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from benchmarks.quality.real_films import Film
from database.models import Movie, MovieEmbedding
from database.search.filters import MovieFilter
from database.search.nearest import Target, read_nearest
from database.search.query import search_movies
from database.search.similar.ranking import similar_movies
from database.vectors.spaces import Space, read_active_space
from embeddings.embedder import Embedder

_ROUNDS = 100
#: Queries of one kind follow each other; this takes some of each kind.
_STRIDE = 7
#: Every movie matches this filter; it makes the search compare all movies.
_EVERYTHING = MovieFilter(years=(0, 3000))
_SOME = MovieFilter(genres=("Drama",), years=(1990, 2009), rating=(6, None))


@dataclass(frozen=True, slots=True)
class Timing:
    """The milliseconds of one kind of query."""

    name: str
    milliseconds: list[float]

    @property
    def median(self) -> float:
        """Return the time that half of them took at most."""
        return statistics.median(self.milliseconds)

    @property
    def slow(self) -> float:
        """Return the time that 95 % of them took at most."""
        return statistics.quantiles(self.milliseconds, n=20)[-1]


def mix(films: Sequence[Film], count: int) -> Iterator[Film]:
    """Yield the films, and then mixtures: the plot's halves, title, time and cast of several."""
    yield from films
    generator = random.Random(1)  # noqa: S311 -- the same catalogue every time
    for number in range(len(films) + 1, count + 1):
        one, two, three = generator.sample(films, 3)
        halves = one.plot.split(". ")[::2] + two.plot.split(". ")[1::2]
        title = f"{one.title.split()[0]} {two.title.split()[-1]} {number}"
        yield replace(
            one, id=number, title=title, year=two.year, plot=". ".join(halves), cast=three.cast,
            imdb_code=None, rating=three.rating, votes=three.votes,
        )  # fmt: skip


def measure_recall(
    session: Session, embedder: Embedder, queries: Sequence[str]
) -> dict[str, float]:
    """Return the share of the ten nearest movies that the index finds, for both vectors."""
    space = read_active_space(session)
    assert space is not None  # noqa: S101 -- it was filled before
    own = [vector for vector in _vectors(session, space, _ROUNDS) if vector is not None]
    asked = [tuple(vector) for query in queries if (vector := embedder.embed_query(query))]
    return {
        "recommend": _recall(session, [Target(space, "recommend", vector) for vector in own]),
        "search": _recall(session, [Target(space, "search", vector) for vector in asked]),
    }


def _vectors(session: Session, space: Space, count: int) -> list[tuple[float, ...] | None]:
    step = max(1, (session.scalar(select(func.max(Movie.id))) or 0) // count)
    rows = session.scalars(
        select(MovieEmbedding.recommend).where(
            MovieEmbedding.space_id == space.id, MovieEmbedding.movie_id % step == 0
        )
    )
    return [None if row is None else tuple(row) for row in rows]


def _recall(session: Session, targets: Sequence[Target]) -> float:
    found = 0
    for target in targets:
        # The product reads 100 results; the first ten are compared.
        some = read_nearest(session, target, MovieFilter(), 100)[:10]
        all_of_them = read_nearest(session, target, _EVERYTHING, 10)
        found += len({id_ for id_, _ in some} & {id_ for id_, _ in all_of_them})
    return found / (10 * len(targets))


def measure_latency(session: Session, embedder: Embedder, queries: Sequence[str]) -> list[Timing]:
    """Return the times of typical queries, including the embedding of the query."""
    generator = random.Random(2)  # noqa: S311
    ids = session.scalars(select(Movie.id)).all()
    asked = [generator.choice(ids) for _ in range(_ROUNDS)]

    def search(number: int) -> object:
        query = queries[_STRIDE * number % len(queries)]
        return search_movies(session, query, embedder=embedder)

    return [
        _time("similar", lambda number: similar_movies(session, asked[number])),
        _time(
            "similar, filtered",
            lambda number: similar_movies(session, asked[number], filters=_SOME),
        ),
        _time("search", search),
    ]  # fmt: skip


def _time(name: str, query: Callable[[int], object]) -> Timing:
    milliseconds = []
    for number in range(-5, _ROUNDS):
        begun = time.perf_counter()
        query(number)
        if number >= 0:
            milliseconds.append((time.perf_counter() - begun) * 1000)
    return Timing(name, milliseconds)
