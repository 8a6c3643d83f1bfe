"""`read_films`, `store`: the films of the quality data, read from a folder and saved as movies."""

import gzip
import json
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from database.db import DatabaseManager
from database.step import Step, save_step
from yts.payload import MoviePayload, parse_movie

#: The language of stored films that have ratings, and the runtime of those with keywords: filters
#: select films by them.
RATED, MANY_KEYWORDS = "rated", 100
_LEAST_KEYWORDS = 4
_MOVIES_A_STEP = 500


@dataclass(frozen=True, slots=True)
class Film:
    """One film, with facts that are not part of its vectors."""

    #: Its id in the database of the benchmark.
    id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    plot: str
    cast: tuple[str, ...]
    imdb_code: str | None
    rating: float | None
    #: Number of votes, which stands for the likes of YTS; None if unknown.
    votes: int | None
    collection: str | None
    directors: frozenset[str]
    keywords: frozenset[str]
    movielens_id: int | None

    @property
    def has_many_keywords(self) -> bool:
        """Whether its keywords can be compared with those of other films."""
        return len(self.keywords) >= _LEAST_KEYWORDS


def read_films(folder: Path) -> list[Film]:
    """Return all films of `movies.jsonl.gz`, numbered in its order."""
    with gzip.open(folder / "movies.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [_film(number, json.loads(line)) for number, line in enumerate(lines, start=1)]


def _film(number: int, facts: dict[str, Any]) -> Film:
    return Film(
        id=number,
        title=facts["title"],
        year=facts.get("year"),
        genres=tuple(facts.get("genres") or ()),
        plot=facts.get("overview") or "",
        cast=tuple(name for name, _ in facts.get("cast") or ()),
        imdb_code=facts.get("imdb_id"),
        rating=facts.get("rating"),
        votes=facts.get("votes"),
        collection=facts.get("collection"),
        directors=frozenset(facts.get("directors") or ()),
        keywords=frozenset(facts.get("keywords") or ()),
        movielens_id=facts.get("movielens_id"),
    )


def store(db: DatabaseManager, films: Iterable[Film], rated: Collection[int] = ()) -> None:
    """Save *films* as if they came from YTS; *rated* has the numbers of those with ratings."""
    movies = (_payload(film, is_rated=film.id in rated) for film in films)
    while step := tuple(islice(movies, _MOVIES_A_STEP)):
        save_step(db, None, Step(step, detailed=frozenset(movie.id for movie in step)))


def _payload(film: Film, *, is_rated: bool) -> MoviePayload:
    return parse_movie(
        {
            "id": film.id,
            "imdb_code": film.imdb_code or "",
            "title": film.title,
            "slug": f"film-{film.id}",
            "year": film.year or 0,
            "rating": film.rating or 0,
            "like_count": film.votes,
            "genres": list(film.genres),
            "description_full": film.plot,
            "language": RATED if is_rated else "en",
            "runtime": MANY_KEYWORDS if film.has_many_keywords else 0,
            "torrents": [],
            "cast": [{"name": name, "imdb_code": ""} for name in film.cast],
        }
    )


def row_ids(db: DatabaseManager) -> Iterator[tuple[int, int]]:
    """Yield `movies.id` and the number of each stored film."""
    with db.engine.connect() as connection:
        yield from connection.exec_driver_sql("SELECT id, external_id FROM movies").tuples()
