"""`search_known_items`, `search_names`: the share of known films that searches find."""

import json
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from sqlalchemy.orm import Session

from benchmarks.quality.real_films import Film
from database.search.filters import MovieFilter
from database.search.keywords import search_by_words
from database.search.query import search_by_meaning, search_movies
from database.search.query_terms import read_terms
from embeddings.embedder import Embedder

#: Descriptions of films. Only the first file was used to choose the weights; the author of the
#: second file had seen no results.
_ITEMS = {"": "known_items.json", ", held out": "known_items_held_out.json"}
_TITLES = 200
_FIRST = 10


def search_known_items(
    session: Session, embedder: Embedder, films: Sequence[Film], numbers: Mapping[int, int]
) -> dict[str, float]:
    """Return the share of films among the first ten results, for each kind of search."""
    by_title = {(film.title, film.year): film.id for film in films}
    shares: dict[str, float] = {}
    for suffix, file in _ITEMS.items():
        items = json.loads(Path(__file__).with_name(file).read_text(encoding="utf-8"))
        hits: Counter[str] = Counter()
        for query, title, year in items:
            for way, row_ids in _search_each_way(session, embedder, query).items():
                hits[way] += by_title[title, year] in [
                    numbers[row_id] for row_id in row_ids[:_FIRST]
                ]
        shares |= {way + suffix: count / len(items) for way, count in hits.items()}
    return shares


def _search_each_way(session: Session, embedder: Embedder, query: str) -> dict[str, Sequence[int]]:
    """Return `movies.id` of the results, for each kind of search."""
    vector = embedder.embed_query(query)
    everything = MovieFilter()
    return {
        "fusion": [match.row_id for match in search_movies(session, query, vector=vector)],
        "words alone": search_by_words(session, read_terms(session, query), everything, _FIRST),
        "meaning alone": search_by_meaning(session, vector, everything, _FIRST),
    }


def search_names(
    session: Session, embedder: Embedder, films: Sequence[Film], numbers: Mapping[int, int]
) -> dict[str, float]:
    """Return how often a name finds its film first, or with a typing error among ten."""
    rng = random.Random(1)  # noqa: S311 -- the same errors every time
    chosen = rng.sample([film for film in films if len(film.title) > 5 and film.imdb_code], _TITLES)

    def find(query: str, count: int) -> list[Film]:
        vector = embedder.embed_query(query)
        matches = search_movies(session, query, vector=vector, limit=count)
        return [films[numbers[match.row_id] - 1] for match in matches]

    def titles(query: str) -> list[str]:
        return [film.title for film in find(query, 10)]

    def share(hits: Sequence[bool]) -> float:
        return sum(hits) / len(hits)

    with_typo = [film for film in chosen if any(len(word) > 4 for word in film.title.split())]
    return {
        "whole title, first": share(
            [find(film.title, 1)[0].title == film.title for film in chosen]
        ),
        "IMDb code, first": share([find(film.imdb_code or "", 1)[0] == film for film in chosen]),
        "actor, first": share(
            [film.cast[0] in find(film.cast[0], 1)[0].cast for film in chosen if film.cast]
        ),
        "one typing error in a word of the title, first ten": share(
            [film.title in titles(_mistype(film.title, rng)) for film in with_typo]
        ),
    }


def _mistype(title: str, rng: random.Random) -> str:
    word = rng.choice([part for part in title.split() if len(part) > 4])
    at = rng.randrange(1, len(word) - 1)
    letter = rng.choice("abcdefghijklmnopqrstuvwxyz")
    wrong = rng.choice(
        [
            word[:at] + word[at + 1 :],
            word[:at] + letter + word[at:],
            word[:at] + letter + word[at + 1 :],
            word[:at] + word[at + 1] + word[at] + word[at + 2 :],
        ]
    )
    return title.replace(word, wrong, 1)
