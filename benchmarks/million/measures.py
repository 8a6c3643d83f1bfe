"""`measure`: milliseconds of saving, totals, searches and the monitor in a large catalogue."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from sqlalchemy import text

from benchmarks.million.fill_catalogue import vocabulary
from benchmarks.prepared_catalogue import PreparedCatalogue
from database.db import DatabaseManager
from database.monitoring.status import read_status
from database.search.query import search_movies
from database.step import Step, SweptPage, save_step
from yts.responses import parse_page

_MOVIES_A_PAGE = 50
#: Higher than all stored ids.
_FIRST_NEW_ID = 5_000_000
#: Positions in the vocabulary of the words that are searched for.
_SEARCHES = {
    "a rare word": (9999,),
    "a middling word": (499,),
    "a common word": (9,),
    "two words": (9, 99),
    "three words": (1, 9, 99),
}
_COUNT = "SELECT count(*) FROM movies WHERE search_vector @@ plainto_tsquery('english', :words)"

Action = Callable[[], object]


@dataclass(slots=True)
class Figure:
    """The milliseconds of one operation in each round."""

    title: str
    milliseconds: list[float] = field(default_factory=list)


@dataclass(slots=True)
class Figures:
    """All figures."""

    small_page: Figure
    large_page: Figure
    others: list[Figure]


def measure(empty: DatabaseManager, full: DatabaseManager, rounds: int) -> Figures:
    """Run everything once as a warm-up, then *rounds* times, in turn."""
    small = Figure(f"saving a page of {_MOVIES_A_PAGE} new movies, empty database")
    large = Figure(f"saving a page of {_MOVIES_A_PAGE} new movies, full database")
    others: list[tuple[Figure, Action]] = [
        (Figure("`get_stats()`"), full.get_stats),
        (Figure("a refresh of the monitor"), partial(read_status, full)),
        *_searches(full),
    ]
    for number, page in enumerate(_pages(rounds + 1)):
        saves: list[tuple[Figure, Action]] = [(small, partial(save_step, empty, None, page))]
        saves.insert(number % 2, (large, partial(save_step, full, None, page)))
        for figure, action in [*saves, *others]:
            begun = time.perf_counter()
            action()
            if number > 0:
                figure.milliseconds.append((time.perf_counter() - begun) * 1000)
    return Figures(small, large, [figure for figure, _ in others])


def _pages(count: int) -> Iterator[Step]:
    """Yield list pages as the API gives them, of movies that are not stored."""
    catalogue = PreparedCatalogue(count * _MOVIES_A_PAGE, with_details=False)
    for number in range(1, count + 1):
        query = {"limit": str(_MOVIES_A_PAGE), "page": str(number), "order_by": "asc"}
        rows = parse_page(catalogue.list_movies(query)).movies
        movies = tuple(row.model_copy(update={"id": _FIRST_NEW_ID + row.id}) for row in rows)
        ids = tuple(movie.id for movie in movies)
        yield Step(movies, swept=(SweptPage(ids, number, reading=1),))


def _searches(db: DatabaseManager) -> Iterator[tuple[Figure, Action]]:
    known = vocabulary()
    for title, ranks in _SEARCHES.items():
        query = " ".join(known[rank] for rank in ranks)
        with db.get_session() as session:
            count = session.scalar(text(_COUNT), {"words": query})
        name = f"a search for {title}, all of it in {count:,} movies"
        yield Figure(name), partial(_search, db, query)


def _search(db: DatabaseManager, query: str) -> None:
    with db.get_session() as session:
        search_movies(session, query)
