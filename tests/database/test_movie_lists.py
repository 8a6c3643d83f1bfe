"""`read_movie_part`: lists of movies in parts that follow each other."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import get_args

import pytest
from sqlalchemy import URL
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.serving.movie_json import read_movies_json
from database.serving.movie_lists import MovieList, MovieOrder, read_movie_part, read_movie_total
from tests.support.data.movies import movie


@pytest.fixture(scope="module")
def session(mirror_url: URL) -> Iterator[Session]:
    """Open the mirror with 300 movies."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        yield session


@pytest.mark.parametrize("is_reversed", [False, True])
@pytest.mark.parametrize("order", get_args(MovieOrder))
def test_parts_of_a_list_have_each_movie_once_in_every_order(
    session: Session, order: MovieOrder, is_reversed: bool
):
    """In the order of the whole list, also where values are unknown or equal."""
    movies = MovieList(order=order, is_reversed=is_reversed)
    whole = read_movie_part(session, movies, limit=1000)
    ids: list[int] = []
    after = None
    while True:
        part = read_movie_part(session, movies, after=after, limit=23)
        ids += part.ids
        if part.position is None:
            break
        after = json.loads(json.dumps(part.position, default=datetime.isoformat))

    assert whole.position is None
    assert ids == whole.ids
    assert len({*ids}) == len(ids) == read_movie_total(session, movies)


@pytest.mark.parametrize("is_reversed", [False, True])
def test_movies_without_a_value_come_last(db: DatabaseManager, is_reversed: bool):
    """In both directions; the others turn around."""
    for number, rating in ((1, 5.0), (2, 0), (3, 7.0)):
        db.save_movie({**movie(number), "rating": rating})
    with db.get_session() as session:
        part = read_movie_part(session, MovieList(order="rating", is_reversed=is_reversed), limit=5)
        rows = [json.loads(row) for row in read_movies_json(session, part.ids)]

    expected = [(1, 5.0), (3, 7.0), (2, None)] if is_reversed else [(3, 7.0), (1, 5.0), (2, None)]
    assert [(row["id"], row["rating"]) for row in rows] == expected
