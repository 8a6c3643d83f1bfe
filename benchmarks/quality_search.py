"""How often a search finds what somebody has in mind: films described, misspelt, and named."""

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from benchmarks.quality_films import Film, row_ids
from benchmarks.quality_metrics import DEPTH
from benchmarks.quality_typos import KINDS, misspell
from database.db import DatabaseManager
from database.filters import MovieFilter
from database.search import search_by_meaning, search_movies
from database.search_words import search_by_words
from database.terms import read_terms
from discovery.embedder import Embedder

#: Queries, and which films answer them; the second file was never looked at while anything was
#: being tuned.
KNOWN_ITEMS = {
    "descriptions": "known_items.json",
    "descriptions held out": "known_items_held_out.json",
}
_HALF_DEPTH = 100
_TITLES, _CODES, _PEOPLE = 500, 300, 300
_SEED = 11

#: A query, and title and year of the film it describes.
Item = tuple[str, str, int]
#: Of a query, `movies.id` of what is found, the best first.
Search = Callable[[str], Sequence[int]]


def read_items(name: str) -> list[Item]:
    """Return the list *name* of `KNOWN_ITEMS`."""
    text = Path(__file__).with_name(KNOWN_ITEMS[name]).read_text()
    return [(query, title, year) for query, title, year in json.loads(text)]


class SearchQuality:
    """Asks one database that holds all films."""

    def __init__(self, db: DatabaseManager, films: Sequence[Film], embedder: Embedder) -> None:
        """Films are known by their numbers, rows by `movies.id`."""
        self._db, self._films, self._embedder = db, films, embedder
        self._numbers = dict(row_ids(db))

    def measure(self) -> dict[str, dict[str, float]]:
        """Return shares, 0 to 1, by table and row."""
        with self._db.get_session() as session:
            ways = self._ways(session)
            whole = ways["both, as users get it"]
            return {
                **{
                    title: {
                        name: self._described(read_items(title), way) for name, way in ways.items()
                    }
                    for title in KNOWN_ITEMS
                },
                "errors": self._misspelt(whole),
                "names": self._named(whole),
            }

    def _ways(self, session: Session) -> dict[str, Search]:
        nothing = MovieFilter()

        def both(query: str) -> list[int]:
            vector = self._embedder.embed_query(query)
            return [it.row_id for it in search_movies(session, query, vector=vector, limit=DEPTH)]

        def by_words(query: str) -> list[int]:
            return search_by_words(session, read_terms(session, query), nothing, _HALF_DEPTH)

        def by_meaning(query: str) -> list[int]:
            vector = self._embedder.embed_query(query)
            return search_by_meaning(session, vector, nothing, _HALF_DEPTH)

        return {"words alone": by_words, "meaning alone": by_meaning, "both, as users get it": both}

    def _described(self, items: Sequence[Item], search: Search) -> float:
        found = (self._ask(query, search) for query, _, _ in items)
        return _share(
            any((it.title, it.year) == (title, year) for it in films)
            for films, (_, title, year) in zip(found, items, strict=True)
        )

    def _misspelt(self, search: Search) -> dict[str, float]:
        shares = {}
        for kind in KINDS:
            dice = _dice()
            asked = [
                (film, wrong)
                for film in dice.sample(list(self._films), _TITLES)
                if (wrong := misspell(film.title, kind, dice)) is not None
            ]
            shares[kind] = _share(
                _key(film.title) in {_key(it.title) for it in self._ask(wrong, search)}
                for film, wrong in asked
            )
        return shares

    def _named(self, search: Search) -> dict[str, float]:
        dice = _dice()
        titles = dice.sample([it.title for it in self._films if _key(it.title)], _TITLES)
        codes = dice.sample([it.imdb_code for it in self._films if it.imdb_code], _CODES)
        people = dice.sample(sorted({name for it in self._films for name in it.cast}), _PEOPLE)
        return {
            "title": _share(_key(self._first(it, search).title) == _key(it) for it in titles),
            "IMDb code": _share(self._first(it, search).imdb_code == it for it in codes),
            "person": _share(it in self._first(it, search).cast for it in people),
        }

    def _first(self, query: str, search: Search) -> Film:
        return next(iter(self._ask(query, search)), _NO_FILM)

    def _ask(self, query: str, search: Search) -> list[Film]:
        return [self._films[self._numbers[row] - 1] for row in search(query)[:DEPTH]]


_NO_FILM = Film(
    id=0, title="", year=None, genres=(), plot="", cast=(), imdb_code=None, rating=None,
    language="", runtime=None, collection=None, directors=frozenset(), keywords=frozenset(),
    movielens_id=None,
)  # fmt: skip


def _key(title: str) -> str:
    return re.sub(r"\W", "", title.lower())


def _share(outcomes: Iterable[bool]) -> float:
    known = list(outcomes)
    return sum(known) / len(known)


def _dice() -> random.Random:
    return random.Random(_SEED)  # noqa: S311 -- a sample is no secret
