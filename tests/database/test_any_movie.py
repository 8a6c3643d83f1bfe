"""Whatever a movie holds, it is stored or recorded, and the others of its page are stored."""

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
from tests.support.databases import table_contents
from tests.support.examples import examples
from tests.support.movies import Json, empty, list_row, movie, person, read
from tests.support.mutation import mutate, nasty_value
from tests.support.yts_responses import page_answer
from yts.errors import MalformedMovie
from yts.payload import MoviePayload, parse_movie
from yts.responses import parse_page

BAD = 502
#: No id that a mutation may come to.
OTHERS = (501, 90_503, 90_504)
#: Differ between two databases that say the same; so do the names that end in `_at`.
ROW_KEYS = ("id", "movie_id", "cast_id")

fuzz = settings(examples(25), suppress_health_check=list(HealthCheck))


def a_page(*, has_details: bool) -> list[Json]:
    """Return four movies that share nobody, the bad one second."""
    ids = (OTHERS[0], BAD, *OTHERS[1:])
    movies = [movie(it, cast=[person(it), person(it + 1_000_000)]) for it in ids]
    return movies if has_details else [list_row(it) for it in movies]


def parse_all(rows: Sequence[Any], *, has_details: bool) -> Step:
    """Make a step of *rows*, as the worker does of a page, or of answers with details."""
    movies: list[MoviePayload] = []
    malformed: list[MalformedMovie] = []
    if has_details:
        for row in rows:
            try:
                movies.append(parse_movie(row))
            except MalformedMovie as error:
                malformed.append(error)
    else:
        page = parse_page(page_answer(*rows))
        movies, malformed = [*page.movies], [*page.malformed]
    failures = [failure_of("movie", str(error.movie_id), error) for error in malformed]
    return Step(tuple(movies), has_details=has_details, failures=tuple(failures), update=True)


def stored_movies(db: DatabaseManager) -> dict[int, Json]:
    """Return every stored movie as a program gets it, checked to be JSON and in its ranges."""
    with db.get_session() as session:
        dicts = [it.to_dict() for it in session.scalars(select(Movie))]
    for it in dicts:
        json.dumps(it, allow_nan=False).encode()
        assert it["title"].strip()
        assert it["rating"] is None or 0.1 <= it["rating"] <= 10
        assert it["year"] is None or 1 <= it["year"] <= 9999
        assert it["runtime"] is None or it["runtime"] >= 1
    return {it["external_id"]: without_row_keys(it) for it in dicts}


def without_row_keys(value: Any) -> Any:
    """Return *value* without what belongs to the row and not to the movie."""
    if isinstance(value, list):
        return [without_row_keys(it) for it in value]
    if isinstance(value, dict):
        return {
            name: without_row_keys(it)
            for name, it in value.items()
            if name not in ROW_KEYS and not name.endswith("_at")
        }
    return value


@pytest.fixture(scope="module")
def db(_shared_db: DatabaseManager) -> DatabaseManager:
    """Share one database among all examples."""
    return _shared_db


@pytest.fixture(scope="module")
def honest(db: DatabaseManager) -> dict[bool, dict[int, Json]]:
    """Return the page as it is stored when no movie of it is bad, with details and without."""
    honest = {}
    for has_details in (True, False):
        empty(db)
        rows = a_page(has_details=has_details)
        save_step(db, None, parse_all(rows, has_details=has_details))
        honest[has_details] = stored_movies(db)
    return honest


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
    honest: dict[bool, dict[int, Json]],
    has_details: bool,
    is_known: bool,
    seed: int,
    values: list[Any],
):
    """
    New or known, in a list or with details. The outcomes add up, saving twice equals saving
    once, and all that is stored is JSON.
    """
    empty(db)
    rows = a_page(has_details=has_details)
    if is_known:
        save_step(db, None, parse_all(rows, has_details=has_details))
    dice = random.Random(seed)
    for value in values:
        mutate(rows[1], value, dice)
    step = parse_all(rows, has_details=has_details)
    with db.get_session() as session:
        run_id = start_run(session, "a test")

    result = save_step(db, run_id, step)

    stored = stored_movies(db)
    assert {it: stored[it] for it in OTHERS} == {it: honest[has_details][it] for it in OTHERS}
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
def test_save_movie_says_of_any_dict_what_became_of_it(
    db: DatabaseManager, seed: int, values: list[Any]
):
    """
    It never raises: the caller gets an id, or a reason in words.
    """
    empty(db)
    odd = movie(BAD)
    dice = random.Random(seed)
    for value in values:
        mutate(odd, value, dice)

    success, row_id, message = db.save_movie(odd)

    assert success == (row_id is not None) == (message == "created")
    assert message.encode()
    assert len(stored_movies(db)) == success
