"""What indexes miss and how long answers take, with as many movies as a mirror has, or more."""

import random
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from benchmarks.quality_films import row_ids
from benchmarks.quality_metrics import DEPTH, mean_overlap
from database.db import DatabaseManager
from database.filters import MovieFilter
from database.models import MovieEmbedding
from database.nearest import Target, read_nearest
from database.search import search_by_meaning, search_movies
from database.similar import similar_movies
from database.spaces import read_active_space
from discovery.embedder import Embedder

_MOVIES, _WARM_UP = 300, 30
_SEED = 13
#: What the product reads for its ten.
_DEPTH_OF_SIMILAR, _DEPTH_OF_SEARCH = 101, 100
#: One that few movies fulfil, one that half of them do.
_NARROW = MovieFilter(genres=("Drama",), years=(1990, 1999))
_WIDE = MovieFilter(rating=(6.0, None))


class Scale:
    """Asks one database that is as large as it is to be."""

    def __init__(
        self, db: DatabaseManager, embedder: Embedder, queries: Sequence[str], titles: Sequence[str]
    ) -> None:
        """*queries* are descriptions of films."""
        self._db, self._embedder, self._queries, self._titles = db, embedder, queries, titles
        rows = sorted(row for row, _ in row_ids(db))
        dice = random.Random(_SEED)  # noqa: S311 -- a sample is no secret
        self._rows = dice.sample(rows, min(_MOVIES, len(rows)))

    def measure(self) -> dict[str, dict[str, float]]:
        """Return recalls, 0 to 1, and milliseconds: half and 95 % of the answers took no longer."""
        with self._db.get_session() as session:
            return {
                "recall": {
                    "recommend": _recall(session, self._near),
                    "search": _recall(session, self._meant),
                },
                **{name: _milliseconds(answers) for name, answers in self._answers(session)},
            }

    def _answers(self, session: Session) -> Iterator[tuple[str, list[float]]]:
        def similar(filters: MovieFilter) -> Callable[[int], object]:
            return lambda row: similar_movies(session, row, filters=filters, limit=DEPTH)

        def search(query: str) -> object:
            return search_movies(session, query, vector=self._embed(query), limit=DEPTH)

        yield "`similar`", _time(self._rows, similar(MovieFilter()))
        yield "`similar`, dramas of the nineties", _time(self._rows, similar(_NARROW))
        yield "`similar`, rated 6 or more", _time(self._rows, similar(_WIDE))
        yield "`search`, descriptions", _time(self._queries, search)
        yield "`search`, titles", _time(self._titles, search)

    def _embed(self, query: str) -> list[float] | None:
        return self._embedder.embed_query(query)

    def _near(self, session: Session) -> dict[int, list[int]]:
        space = read_active_space(session)
        assert space is not None  # noqa: S101 -- it was filled just now
        vectors = session.execute(
            select(MovieEmbedding.movie_id, MovieEmbedding.recommend).where(
                MovieEmbedding.space_id == space.id,
                MovieEmbedding.movie_id.in_(self._rows),
                MovieEmbedding.recommend.is_not(None),
            )
        )
        return {
            row: _rows(session, Target(space, "recommend", tuple(vector)), _DEPTH_OF_SIMILAR)
            for row, vector in vectors
        }

    def _meant(self, session: Session) -> dict[int, list[int]]:
        vectors = {number: self._embed(query) for number, query in enumerate(self._queries)}
        return {
            number: search_by_meaning(session, vector, MovieFilter(), _DEPTH_OF_SEARCH)
            for number, vector in vectors.items()
        }


def _rows(session: Session, target: Target, limit: int) -> list[int]:
    return [row for row, _ in read_nearest(session, target, MovieFilter(), limit)]


def _recall(session: Session, ask: Callable[[Session], dict[int, list[int]]]) -> float:
    """Return which share of the ten nearest is found by index."""
    by_index = ask(session)
    # Without its indexes the very same query is exact.
    session.execute(text("SET LOCAL enable_indexscan = off"))
    exactly = ask(session)
    session.execute(text("SET LOCAL enable_indexscan = on"))
    return mean_overlap(by_index, exactly)


def _time(asked: Iterable[Any], answer: Callable[[Any], object]) -> list[float]:
    """Return the seconds of each answer; the first are not counted, they fill the caches."""
    seconds = []
    for it in asked:
        begun = time.perf_counter()
        answer(it)
        seconds.append(time.perf_counter() - begun)
    return seconds[_WARM_UP:] or seconds


def _milliseconds(seconds: Sequence[float]) -> dict[str, float]:
    ordered = sorted(seconds)
    return {
        "p50": 1000 * ordered[len(ordered) // 2],
        "p95": 1000 * ordered[int(0.95 * (len(ordered) - 1))],
    }
