"""`read_films`, `store`: the films of the quality data, read from a folder and saved as movies."""

import gzip
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from database.db import DatabaseManager
from database.step import Step, save_step
from yts.payload import MoviePayload, parse_movie

_MOVIES_A_STEP = 500


@dataclass(frozen=True, slots=True)
class Film:
    """One film and what is known of it that no vector is made of."""

    #: Its id in the mirror that is made for the measuring.
    id: int
    title: str
    year: int | None
    genres: tuple[str, ...]
    plot: str
    cast: tuple[str, ...]
    imdb_code: str | None
    rating: float | None
    collection: str | None
    directors: frozenset[str]
    keywords: frozenset[str]
    movielens_id: int | None


def read_films(folder: Path) -> list[Film]:
    """Return all films of `movies.jsonl.gz`, numbered in its order."""
    with gzip.open(folder / "movies.jsonl.gz", "rt", encoding="utf-8") as lines:
        return [_film(number, json.loads(line)) for number, line in enumerate(lines, start=1)]


def _film(number: int, told: dict[str, Any]) -> Film:
    return Film(
        id=number,
        title=told["title"],
        year=told.get("year"),
        genres=tuple(told.get("genres") or ()),
        plot=told.get("overview") or "",
        cast=tuple(name for name, _ in told.get("cast") or ()),
        imdb_code=told.get("imdb_id"),
        rating=told.get("rating"),
        collection=told.get("collection"),
        directors=frozenset(told.get("directors") or ()),
        keywords=frozenset(told.get("keywords") or ()),
        movielens_id=told.get("movielens_id"),
    )


def store(db: DatabaseManager, films: Iterable[Film]) -> None:
    """Save *films* as if YTS had told of them."""
    movies = map(_payload, films)
    while step := tuple(islice(movies, _MOVIES_A_STEP)):
        save_step(db, None, Step(step, has_details=True))


def _payload(film: Film) -> MoviePayload:
    return parse_movie(
        {
            "id": film.id,
            "imdb_code": film.imdb_code or "",
            "title": film.title,
            "slug": f"film-{film.id}",
            "year": film.year or 0,
            "rating": film.rating or 0,
            "genres": list(film.genres),
            "description_full": film.plot,
            "language": "en",
            "torrents": [],
            "cast": [{"name": name, "imdb_code": ""} for name in film.cast],
        }
    )


def row_ids(db: DatabaseManager) -> Iterator[tuple[int, int]]:
    """Yield `movies.id` and the film's number of all that are stored."""
    with db.engine.connect() as connection:
        yield from connection.exec_driver_sql("SELECT id, external_id FROM movies").tuples()
