"""`read_movie_part`: lists of movies in parts that follow each other."""

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any, get_args

import pytest
from sqlalchemy import URL, event, select, text
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.models import Movie
from database.search.filters import MovieFilter
from database.search.keyset import order_by
from database.serving import genre_conditions
from database.serving.movie_json import read_movies_json
from database.serving.movie_lists import MovieList, MovieOrder, read_movie_part, read_movie_total
from tests.support.data.movies import movie

#: Movies with each combination of known and unknown values, many of them equal.
_COMBINATIONS = text("""
    INSERT INTO movies (external_id, title, rating, like_count, year, date_uploaded)
    SELECT number, 't' || number % 2, nullif(number % 3, 0), nullif(number / 3 % 3, 0),
        nullif(number / 9 % 3, 0), to_timestamp(nullif(number / 27 % 2, 0))
    FROM generate_series(1, 54) number""")
_DIRECTIONS = pytest.mark.parametrize("is_reversed", [False, True])
_ORDERS = pytest.mark.parametrize("order", get_args(MovieOrder))


@pytest.fixture(scope="module")
def session(mirror_url: URL) -> Iterator[Session]:
    """Open the mirror with 300 movies."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        yield session


@_DIRECTIONS
@_ORDERS
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


@_DIRECTIONS
def test_movies_without_a_value_come_last(db: DatabaseManager, is_reversed: bool):
    """In both directions; the others turn around."""
    for number, rating in ((1, 5.0), (2, 0), (3, 7.0)):
        db.save_movie({**movie(number), "rating": rating})
    with db.get_session() as session:
        part = read_movie_part(session, MovieList(order="rating", is_reversed=is_reversed), limit=5)
        rows = [json.loads(row) for row in read_movies_json(session, part.ids)]

    expected = [(1, 5.0), (3, 7.0), (2, None)] if is_reversed else [(3, 7.0), (1, 5.0), (2, None)]
    assert [(row["id"], row["rating"]) for row in rows] == expected


def test_parts_together_have_the_order_of_one_statement(db: DatabaseManager):
    """Parts of any length, in all orders, where values are unknown and equal in any combination."""
    with db.get_session() as session:
        session.execute(_COMBINATIONS)
        for order in get_args(MovieOrder):
            for is_reversed in (False, True):
                movies = MovieList(order=order, is_reversed=is_reversed)
                expected = session.scalars(select(Movie.id).order_by(*order_by(movies.keys))).all()
                for limit in (5, 53, 54):
                    assert _read_parts(session, movies, limit) == expected, (movies, limit)


def _read_parts(session: Session, movies: MovieList, limit: int) -> list[int]:
    part = read_movie_part(session, movies, limit=limit)
    ids = part.ids
    while part.position is not None:
        after = json.loads(json.dumps(part.position, default=datetime.isoformat))
        part = read_movie_part(session, movies, after=after, limit=limit)
        ids += part.ids
    return ids


@pytest.mark.parametrize("names", [("Drama",), ("Crime", "Drama"), ("Crime", "Drama", "Thriller")])
def test_a_list_of_genres_is_the_same_whether_they_are_rare_or_common(
    session: Session, monkeypatch: pytest.MonkeyPatch, names: tuple[str, ...]
):
    """Its movies have all of the genres, as the filter says, and are found in either way."""
    movies = MovieList(MovieFilter(genres=names))
    expected = session.scalars(select(Movie.id).where(*movies.filters.conditions())).all()
    for few in (0, 3000):
        monkeypatch.setattr(genre_conditions, "_FEW_MOVIES", few)
        found = read_movie_part(session, movies, limit=1000).ids
        assert sorted(found) == sorted(expected)
    assert expected


@_DIRECTIONS
@_ORDERS
def test_no_part_of_a_list_sorts_all_movies(session: Session, order: MovieOrder, is_reversed: bool):
    """An index has the order, at least that of the first key, which then leaves little to sort."""
    movies = MovieList(order=order, is_reversed=is_reversed)
    begin = read_movie_part(session, movies, limit=100).position
    after = json.loads(json.dumps(begin, default=datetime.isoformat))
    for position in (None, after):
        plans = _explain_part(session, movies, position)
        assert plans
        for plan in plans:
            costly = {"Sort", "Seq Scan"} & {*_kinds_of(plan)}
            assert not costly, json.dumps(plan, indent=1)


def _explain_part(session: Session, movies: MovieList, after: object) -> list[dict[str, Any]]:
    """Return the plans of the statements that read all movies after a position."""
    statements: list[tuple[str, Any]] = []
    connection = session.connection()

    def note(_connection: Any, _cursor: Any, statement: str, parameters: Any, *_: Any) -> None:
        statements.append((statement, parameters))

    event.listen(connection, "before_cursor_execute", note)
    try:
        read_movie_part(session, movies, after=after, limit=1000)
    finally:
        event.remove(connection, "before_cursor_execute", note)
    # The mirror of the tests is so small that sorting it costs less than an index.
    connection.exec_driver_sql("SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off")
    plans = [
        connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
        for statement, parameters in statements
    ]
    connection.exec_driver_sql("RESET enable_sort; RESET enable_seqscan")
    return [plan[0]["Plan"] for plan in plans]


def _kinds_of(plan: dict[str, Any]) -> Iterator[str]:
    yield plan["Node Type"]
    for below in plan.get("Plans", []):
        yield from _kinds_of(below)


@pytest.mark.parametrize("column", ["quality", "video_codec"])
def test_the_planner_knows_how_many_torrents_a_filter_lets_through(
    db: DatabaseManager, column: str
):
    """In any case of letters: an estimate that is too low makes it read all torrents."""
    with db.get_session() as session:
        session.execute(_COMBINATIONS)
        session.execute(
            text(f"INSERT INTO torrents (movie_id, hash, {column}) SELECT id, id, 'X1' FROM movies")
        )
        session.execute(text("ANALYZE torrents"))
        query = f"EXPLAIN (FORMAT JSON) SELECT FROM torrents WHERE lower({column}) = 'x1'"
        (plan,) = session.execute(text(query)).scalar_one()

    assert plan["Plan"]["Plan Rows"] == 54
