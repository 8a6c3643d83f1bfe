"""A movie with any values is stored or recorded, and the others of its page are stored."""

import json
import random
from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from database.bookkeeping.models import OUTCOMES
from database.bookkeeping.runs import start_run
from database.db import DatabaseManager
from database.models import Movie
from database.step import Step, save_step
from ingest.worker.fetcher import failure_of
from tests.support.data.examples import examples
from tests.support.data.movies import Json, empty, list_row, movie, person, read
from tests.support.data.mutation import mutate, nasty_value
from tests.support.data.yts_responses import page_response
from tests.support.databases import table_contents
from yts.errors import MalformedMovie
from yts.payload import MoviePayload, parse_movie
from yts.responses import parse_page

BAD = 502
#: Ids that no mutation can produce.
OTHERS = (501, 90_503, 90_504)
#: Columns that differ between databases with the same movies; so do names that end in `_at`.
ROW_KEYS = ("id", "movie_id", "cast_id")

fuzz = settings(examples(25), suppress_health_check=list(HealthCheck))


def a_page(*, has_details: bool) -> list[Json]:
    """Return four movies without a common person; the second one is to be mutated."""
    ids = (OTHERS[0], BAD, *OTHERS[1:])
    movies = [movie(id_, cast=[person(id_), person(id_ + 1_000_000)]) for id_ in ids]
    return movies if has_details else [list_row(details) for details in movies]


def parse_all(rows: Sequence[Any], *, has_details: bool) -> Step:
    """Return the step that a worker makes from a page, or from responses with details."""
    movies: list[MoviePayload] = []
    malformed: list[MalformedMovie] = []
    if has_details:
        for row in rows:
            try:
                movies.append(parse_movie(row))
            except MalformedMovie as error:
                malformed.append(error)
    else:
        page = parse_page(page_response(*rows))
        movies, malformed = [*page.movies], [*page.malformed]
    failures = [failure_of("movie", str(error.movie_id), error) for error in malformed]
    detailed = frozenset(movie.id for movie in movies if has_details)
    return Step(tuple(movies), detailed=detailed, failures=tuple(failures), update=True)


def stored_movies(db: DatabaseManager) -> dict[int, Json]:
    """Return the `to_dict` of every movie by its id; assert that it is JSON and in range."""
    with db.get_session() as session:
        dicts = [film.to_dict() for film in session.scalars(select(Movie))]
    for values in dicts:
        json.dumps(values, allow_nan=False).encode()
        assert values["title"].strip()
        assert values["rating"] is None or 0.1 <= values["rating"] <= 10
        assert values["year"] is None or 1 <= values["year"] <= 9999
        assert values["runtime"] is None or values["runtime"] >= 1
    return {values["external_id"]: without_row_keys(values) for values in dicts}


def without_row_keys(value: Any) -> Any:
    """Return *value* without the keys and times of rows."""
    if isinstance(value, list):
        return [without_row_keys(item) for item in value]
    if isinstance(value, dict):
        return {
            name: without_row_keys(item)
            for name, item in value.items()
            if name not in ROW_KEYS and not name.endswith("_at")
        }
    return value


@pytest.fixture(scope="module")
def db(_shared_db: DatabaseManager) -> DatabaseManager:
    """Share one database among all examples."""
    return _shared_db


@pytest.fixture(scope="module")
def intact(db: DatabaseManager) -> dict[bool, dict[int, Json]]:
    """Return the page as it is stored without a mutation, with details and without."""
    intact = {}
    for has_details in (True, False):
        empty(db)
        rows = a_page(has_details=has_details)
        save_step(db, None, parse_all(rows, has_details=has_details))
        intact[has_details] = stored_movies(db)
    return intact


@fuzz
@given(
    has_details=st.booleans(),
    is_known=st.booleans(),
    seed=st.integers(0, 2**32),
    values=st.lists(nasty_value, min_size=1, max_size=4),
)
def test_a_mutated_movie_is_stored_or_recorded_and_costs_no_other(
    *,
    db: DatabaseManager,
    intact: dict[bool, dict[int, Json]],
    has_details: bool,
    is_known: bool,
    seed: int,
    values: list[Any],
):
    """
    The movie is new or known, from a list or with details. The outcomes add up, saving twice
    equals saving once, and all that is stored is JSON.
    """
    empty(db)
    rows = a_page(has_details=has_details)
    if is_known:
        save_step(db, None, parse_all(rows, has_details=has_details))
    generator = random.Random(seed)
    for value in values:
        mutate(rows[1], value, generator)
    step = parse_all(rows, has_details=has_details)
    with db.get_session() as session:
        run_id = start_run(session, "a test")

    result = save_step(db, run_id, step)

    stored = stored_movies(db)
    assert {id_: stored[id_] for id_ in OTHERS} == {id_: intact[has_details][id_] for id_ in OTHERS}
    assert result.outcomes["failed"] == len(result.failures) <= 1
    assert result.outcomes.total() == len(rows)
    recorded = read(db, "SELECT message, error_class FROM fetch_failures")
    assert [bool(message and error) for message, error in recorded] == [True] * len(result.failures)
    assert len(stored) >= len(OTHERS) + (not result.failures)
    (counts,) = read(db, f"SELECT planned, {', '.join(OUTCOMES)} FROM fetch_runs")
    assert counts == (len(rows), *(result.outcomes[name] for name in OUTCOMES))

    before = table_contents(db)
    again = save_step(db, run_id, step)
    assert table_contents(db) == before
    assert again.failures == result.failures
    assert again.outcomes["unchanged"] == len(rows) - len(result.failures)


@fuzz
@given(seed=st.integers(0, 2**32), values=st.lists(nasty_value, min_size=1, max_size=4))
def test_save_movie_returns_the_outcome_of_any_dict(
    db: DatabaseManager, seed: int, values: list[Any]
):
    """
    It never raises: the caller gets the id of a row, or a message.
    """
    empty(db)
    odd = movie(BAD)
    generator = random.Random(seed)
    for value in values:
        mutate(odd, value, generator)

    success, row_id, message = db.save_movie(odd)

    assert success == (row_id is not None) == (message == "created")
    assert message.encode()
    assert len(stored_movies(db)) == success
