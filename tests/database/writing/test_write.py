"""`save_movies`: saving twice equals once, and the order of batches has no effect."""

import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from database.bookkeeping.due import count_due_for_details
from database.db import DatabaseManager
from sandbox.api.sandbox_server import Sandbox
from tests.support.data.examples import examples
from tests.support.data.movies import (
    Json,
    empty,
    fetch_details,
    fetch_list_rows,
    list_row,
    movie,
    person,
    read,
    read_one,
    save,
    torrent,
)
from tests.support.databases import table_contents

#: The tables of movies, whose rows are compared including ids and times.
_EVERYTHING = (
    "movies ORDER BY id",
    "genres ORDER BY id",
    "casts ORDER BY id",
    "torrents ORDER BY id",
    "movie_genres ORDER BY movie_id, genre_id",
    "movie_casts ORDER BY movie_id, cast_id",
)


def _everything(db: DatabaseManager) -> list[list[Any]]:
    return [read(db, f"SELECT * FROM {rows}") for rows in _EVERYTHING]


def test_saving_twice_equals_once_to_the_last_time_stamp(
    db: DatabaseManager, sandbox: Sandbox
) -> None:
    """With and without `update`, saving the same responses again writes nothing."""
    movies, asked_at = fetch_details(sandbox, range(1, 60)), datetime.now(UTC)
    assert set(save(db, *movies, asked_at=asked_at).values()) == {"saved"}
    once = _everything(db)

    assert set(save(db, *movies, asked_at=asked_at).values()) == {"skipped"}
    assert set(save(db, *movies, update=True, asked_at=asked_at).values()) == {"unchanged"}

    assert _everything(db) == once


def test_an_older_response_never_overwrites_a_newer_one(db: DatabaseManager) -> None:
    """A response to an earlier request that arrives later is skipped."""
    now = datetime.now(UTC)
    save(db, movie(1, title="New"), asked_at=now)

    late = save(
        db, movie(1, title="Old", genres=["Western"]), update=True, asked_at=now - timedelta(1)
    )
    fresh = save(db, movie(1, title="Newer"), update=True, asked_at=now + timedelta(1))

    assert (late, fresh) == ({1: "skipped"}, {1: "updated"})
    assert read_one(db, "title", 1) == "Newer"
    assert "Western" not in read(db, "SELECT name FROM genres")


def test_older_details_leave_a_newer_row_due_for_details(db: DatabaseManager) -> None:
    """They would undo a correction by the list; newer details complete the row."""
    now = datetime.now(UTC)
    save(db, list_row(movie(1, title="New")), has_details=False, asked_at=now)

    late = save(db, movie(1, title="Old"), asked_at=now - timedelta(1))
    assert (late, read_one(db, "title", 1)) == ({1: "skipped"}, "New")
    with db.get_session() as session:
        assert count_due_for_details(session) == 1

    assert save(db, movie(1, title="New"), asked_at=now + timedelta(1)) == {1: "updated"}


def test_an_equal_response_changes_only_the_time_of_the_details(db: DatabaseManager) -> None:
    """A refresh without a difference is not a change, but its time is stored."""
    now = datetime.now(UTC)
    save(db, movie(1), asked_at=now)
    changed_at = read_one(db, "updated_at", 1)

    save(db, movie(1), update=True, asked_at=now + timedelta(1))

    assert read_one(db, "details_fetched_at", 1) == now + timedelta(1)
    assert read_one(db, "updated_at", 1) == changed_at


def test_a_page_saved_twice_equals_once(db: DatabaseManager, sandbox: Sandbox) -> None:
    """Saving a list page again writes nothing, with and without `update`."""
    rows = fetch_list_rows(sandbox)
    save(db, *rows, has_details=False)
    once = _everything(db)

    assert set(save(db, *rows, has_details=False).values()) == {"skipped"}
    assert set(save(db, *rows, has_details=False, update=True).values()) == {"unchanged"}

    assert _everything(db) == once


def _contested() -> list[Json]:
    """Return movies with common slugs, genres, people and torrents."""
    return [
        movie(1, slug="x", genres=["A", "B"], cast=[person(1), person(2)]),
        movie(2, slug="x", genres=["B", "C"], cast=[person(2), person(1)]),
        movie(3, slug="x-2", genres=["C"], cast=[person(3, imdb_code="", name="Person 1")]),
        movie(4, slug="x-5", genres=[], cast=[person(3, imdb_code="", name="Person 1")]),
        movie(5, slug="x", genres=None, torrents=[torrent("F")], cast=[]),
        movie(6, slug=None, torrents=[torrent("F"), torrent("F")], cast=[person(1), person(1)]),
        movie(7, slug="x-2", torrents=None, cast=None),
    ]


_expected: dict[str, list[tuple[object, ...]]] = {}


@settings(examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(order=st.permutations(_contested()), cuts=st.sets(st.integers(1, 6)), update=st.booleans())
def test_any_order_and_grouping_of_batches_gives_the_same_tables(
    db: DatabaseManager, order: Sequence[Json], cuts: set[int], *, update: bool
) -> None:
    """Workers finish in any order, and a run that was stopped continues with other batches."""
    if not _expected:
        for each in _contested():
            save(db, each)
        _expected.update(table_contents(db))
    empty(db)

    borders = [0, *sorted(cuts), len(order)]
    for begin, end in pairwise(borders):
        save(db, *order[begin:end], update=update)

    assert table_contents(db) == _expected


def test_a_real_catalogue_in_any_order_gives_the_same_tables(
    db: DatabaseManager, sandbox: Sandbox
) -> None:
    """That holds for movies with all quirks of the sandbox, some of which share a slug."""
    movies = fetch_details(sandbox, range(1, 201))
    save(db, *movies)
    expected = table_contents(db)
    generator = random.Random(1)

    for size in (7, 50):
        empty(db)
        generator.shuffle(movies)
        for begin in range(0, len(movies), size):
            save(db, *movies[begin : begin + size])
        assert table_contents(db) == expected


def test_details_complete_a_row_from_a_list_page(db: DatabaseManager) -> None:
    """Fields of list pages stay, those of details are added; the outcome is an update."""
    assert save(db, list_row(movie(1)), has_details=False) == {1: "saved"}
    assert read_one(db, "details_fetched_at, like_count", 1) == (None, None)

    assert save(db, movie(1)) == {1: "updated"}

    when, likes, summary = read_one(db, "details_fetched_at, like_count, summary", 1)
    assert when is not None
    assert (likes, summary) == (7, "Somebody does something.")
    assert len(read(db, "SELECT * FROM movie_casts")) == 2


def test_details_then_list_with_update_equals_list_then_details(db: DatabaseManager) -> None:
    """Neither erases fields that only the other one has."""
    save(db, list_row(movie(1)), has_details=False)
    save(db, movie(1))
    expected = table_contents(db)
    empty(db)

    save(db, movie(1))
    assert save(db, list_row(movie(1)), has_details=False) == {1: "skipped"}
    assert save(db, list_row(movie(1)), has_details=False, update=True) == {1: "updated"}

    assert table_contents(db) == expected


def test_a_movie_that_is_twice_in_a_batch_is_saved_once(db: DatabaseManager) -> None:
    """YTS repeats movies within a page; a statement cannot write a row twice."""
    assert save(db, movie(1), movie(1), movie(2)) == {1: "saved", 2: "saved"}


def test_an_empty_batch_saves_nothing(db: DatabaseManager) -> None:
    """A step may have only failures."""
    assert save(db) == {}
