"""`vector_ways`, `by_similar`: ways to recommend films; `Pool`: what they choose from."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from zlib import crc32

import numpy as np
from numpy.typing import NDArray
from sqlalchemy.orm import Session

from benchmarks.quality.real_films import MANY_KEYWORDS, RATED, Film
from database.search.filters import MovieFilter
from database.search.similar.ranking import similar_movies
from embeddings.blocks import genre_block
from embeddings.embedder import Embedder
from embeddings.load import open_model
from embeddings.recipe import MovieText

Matrix = NDArray[np.float32]
#: For each film, by its position: the positions of the recommended films, the best first.
Lists = dict[int, list[int]]

#: Two of the ways, which are compared.
RATED_VECTORS, SIMILAR = "*recommend*, ranked with ratings", "similar"
_AT_ONCE = 500
_COUNT = 10


@dataclass(frozen=True, slots=True)
class Pool:
    """Films that are recommended to each other."""

    #: Positions of all of them.
    members: Sequence[int]
    #: Positions of those for which others are recommended: one half.
    asked: Sequence[int]
    #: What selects the members among the stored films.
    filters: MovieFilter


#: Returns the ten best for each film that is asked for.
Way = Callable[[Pool], Lists]


def is_held_out(film: Film) -> bool:
    """Return whether *film* is of the half that was not used for choosing weights."""
    return crc32(str(film.id).encode()) % 2 == 1


def make_pools(films: Sequence[Film], rated: set[int], *, is_tuning: bool) -> dict[str, Pool]:
    """Return all films, those that are *rated*, and those that have many keywords."""
    everything = range(len(films))
    described = [place for place in everything if films[place].has_many_keywords]

    def pool(members: Sequence[int], filters: MovieFilter) -> Pool:
        asked = [place for place in members if is_held_out(films[place]) != is_tuning]
        return Pool(members, asked, filters)

    return {
        "all": pool(everything, MovieFilter()),
        "rated": pool(sorted(rated), MovieFilter(languages=(RATED,))),
        "described": pool(described, MovieFilter(runtime=(MANY_KEYWORDS, None))),
    }


def vector_ways(films: Sequence[Film]) -> dict[str, Way]:
    """Return ways that compare vectors, none of which needs a database."""
    texts = [
        MovieText(it.title, it.year, tuple(sorted(it.genres)), it.plot, tuple(sorted(it.cast)))
        for it in films
    ]
    embedder = Embedder(open_model())
    recommend, _ = embedder.embed_movies(texts)
    one_string = embedder.model.embed(
        [f"{it.title} {it.description} {' '.join(it.genres)} {' '.join(it.cast)}" for it in texts]
    )
    noise = np.random.default_rng(1).normal(size=(len(films), 8)).astype(np.float32)
    none = np.zeros(len(films), dtype=np.float32)
    bonus = np.array([0.02 * ((it.rating or 6.5) - 6.5) for it in films], dtype=np.float32)
    return {
        "random": by_vectors(noise, none),
        "genres alone": by_vectors(genre_block(texts), none),
        "one string of all texts": by_vectors(one_string, none),
        "*recommend*": by_vectors(recommend, none),
        RATED_VECTORS: by_vectors(recommend, bonus),
    }


def by_vectors(vectors: Matrix, bonus: Matrix) -> Way:
    """Recommend the nearest vectors; *bonus* of a film is added to a similarity."""

    def recommend(pool: Pool) -> Lists:
        members = np.array(pool.members)
        lists: Lists = {}
        for first in range(0, len(pool.asked), _AT_ONCE):
            part = list(pool.asked[first : first + _AT_ONCE])
            scores = vectors[part] @ vectors[members].T + bonus[members]
            for row, place in enumerate(part):
                scores[row, members == place] = -np.inf
            best = np.argsort(-scores, axis=1, kind="stable")[:, :_COUNT]
            lists |= {place: members[best[row]].tolist() for row, place in enumerate(part)}
        return lists

    return recommend


def by_similar(session: Session, row_ids: dict[int, int], films: Sequence[Film]) -> Way:
    """Recommend as the program does; *row_ids* has the number of each film by `movies.id`."""
    places = {film.id: place for place, film in enumerate(films)}
    place_of = {row_id: places[number] for row_id, number in row_ids.items()}
    row_of = {place: row_id for row_id, place in place_of.items()}

    def recommend(pool: Pool) -> Lists:
        return {
            place: [
                place_of[near.row_id]
                for near in similar_movies(
                    session, row_of[place], filters=pool.filters, limit=_COUNT
                )
            ]
            for place in pool.asked
        }

    return recommend
