"""Every movie has a slug of its own, which does not depend on the order of saving."""

from collections.abc import Callable, Mapping
from itertools import permutations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import URL

from database.db import DatabaseManager
from database.writing.slugs import unique_slugs
from tests.support.data.examples import examples
from tests.support.data.movies import empty, movie, read, save
from tests.support.processes.programs import run_alembic

Slugs = dict[int, str | None]


@pytest.fixture
def db(emptied_db: DatabaseManager) -> DatabaseManager:
    """Share one database among these tests."""
    return emptied_db


#: Slugs as YTS gives them, and as they are stored.
CASES: list[tuple[Slugs, Slugs]] = [
    ({1: "x", 2: "y"}, {1: "x", 2: "y"}),
    ({1: "x", 2: "x", 3: "x"}, {1: "x", 2: "x-2", 3: "x-3"}),
    ({7: "x", 2014: "x", 9: "x-2014"}, {7: "x", 9: "x-2014", 2014: "x-2014-2014"}),
    ({7: "x", 2014: "x", 3000: "x-2014"}, {7: "x", 2014: "x-2014-2014", 3000: "x-2014"}),
    ({2014: "x-2014", 3000: "x-2014"}, {2014: "x-2014-2014", 3000: "x-2014"}),
    ({2014: "x-2014"}, {2014: "x-2014"}),
    ({1: "a-2", 2: "a", 3: "a-2-3", 4: "a-2"}, {1: "a-2", 2: "a", 3: "a-2-3", 4: "a-2-4"}),
    ({1: "", 2: None, 3: None}, {1: None, 2: None, 3: None}),
]


def _stored(db: DatabaseManager) -> Slugs:
    return dict(read(db, "SELECT external_id, slug FROM movies"))


@pytest.mark.parametrize(("sent", "stored"), CASES)
def test_the_lowest_id_keeps_the_slug(db: DatabaseManager, sent: Slugs, stored: Slugs) -> None:
    """
    The other movies append their ids, in any order, one by one or all at once.

    A slug that ends in the id of its own movie yields to one that does not.
    """
    for order in permutations(sent):
        for movie_id in order:
            save(db, movie(movie_id, slug=sent[movie_id]))
        assert _stored(db) == stored, order
        empty(db)
    save(db, *(movie(movie_id, slug=slug) for movie_id, slug in sent.items()))
    assert _stored(db) == stored


_slugs = st.dictionaries(
    st.integers(1, 12),
    st.builds("-".join, st.lists(st.sampled_from(["x", "1", "2", "3", "11"]), min_size=1)),
    min_size=2,
    max_size=7,
)


@settings(examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(sent=_slugs, generator=st.randoms(use_true_random=False))
def test_slugs_do_not_depend_on_the_order_of_saving(
    db: DatabaseManager, sent: Mapping[int, str], generator: object
) -> None:
    """Each slug is that of YTS with the id appended any number of times, or not at all."""
    outcomes = []
    for _ in range(2):
        order = sorted(sent)
        generator.shuffle(order)  # type: ignore[attr-defined]
        middle = len(order) // 2
        empty(db)
        for batch in (order[:middle], order[middle:]):
            save(db, *(movie(movie_id, slug=sent[movie_id]) for movie_id in batch))
        outcomes.append(_stored(db))

    assert outcomes[0] == outcomes[1]
    for movie_id, slug in outcomes[0].items():
        assert slug is not None
        assert not slug.removeprefix(sent[movie_id]).replace(f"-{movie_id}", "")


@settings(examples(15), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(batches=st.lists(_slugs, min_size=2, max_size=5))
def test_earlier_slugs_have_no_effect(
    db: DatabaseManager, batches: list[Mapping[int, str]]
) -> None:
    """After every update the slugs are those of a mirror that never had the earlier ones."""
    empty(db)
    yts_slugs: dict[int, str] = {}
    for batch in batches:
        save(db, *(movie(movie_id, slug=slug) for movie_id, slug in batch.items()), update=True)
        yts_slugs |= batch
        assert _stored(db) == unique_slugs(yts_slugs)


def test_a_slug_that_becomes_free_goes_to_the_movie_that_waits_for_it(db: DatabaseManager) -> None:
    """That movie need not be in the batch, and may have appended its id more than once."""
    for movie_id, slug in {7: "x", 9: "x-2014", 2014: "x"}.items():
        save(db, movie(movie_id, slug=slug))
    assert _stored(db) == {7: "x", 9: "x-2014", 2014: "x-2014-2014"}

    save(db, movie(9, slug="z"), update=True)
    assert _stored(db) == {7: "x", 9: "z", 2014: "x-2014"}

    save(db, movie(7, slug="y"), update=True)
    assert _stored(db) == {7: "y", 9: "z", 2014: "x"}


def test_a_slug_that_becomes_free_does_not_go_to_a_new_movie(db: DatabaseManager) -> None:
    """A stored movie with a lower id gets it, although the new one claims it in the same batch."""
    save(db, movie(4, slug="x"), movie(5, slug="x"))

    save(db, movie(4, slug="y"), movie(9, slug="x"), update=True)

    assert _stored(db) == {4: "y", 5: "x", 9: "x-9"}


def test_the_migration_finds_the_slugs_of_yts(new_database: Callable[[], URL]) -> None:
    """It removes an appended id only where another movie has the rest of the slug."""
    yts_slugs = {7: "x", 8: "x", 9: "y-9", 2014: "z-2014", 3000: "z-2014", 11: None}
    with DatabaseManager(new_database()) as db:
        save(db, *(movie(movie_id, slug=slug) for movie_id, slug in yts_slugs.items()))
        assert run_alembic(db.url, "downgrade", "0009").returncode == 0
        assert run_alembic(db.url, "upgrade", "head").returncode == 0

        assert dict(read(db, "SELECT external_id, yts_slug FROM movies")) == yts_slugs


def test_saving_again_moves_no_slug(db: DatabaseManager) -> None:
    """Both the original slugs and those with an appended id stay."""
    movies = [movie(1, slug="x"), movie(2, slug="x"), movie(3, slug="x-2")]
    save(db, *movies)
    before = _stored(db)

    assert set(save(db, *movies, update=True).values()) == {"unchanged"}
    assert save(db, movies[1], update=True) == {2: "unchanged"}

    assert _stored(db) == before


def test_two_movies_may_swap_their_slugs(db: DatabaseManager) -> None:
    """In one batch, each takes the slug that the other gives up."""
    save(db, movie(1, slug="x"), movie(2, slug="y"))

    swapped = save(db, movie(1, slug="y"), movie(2, slug="x"), update=True)

    assert swapped == {1: "updated", 2: "updated"}
    assert _stored(db) == {1: "y", 2: "x"}


def test_a_movie_without_a_new_slug_keeps_or_gives_up_its_own(db: DatabaseManager) -> None:
    """An unknown slug replaces none, but the stored one may have to change for another movie."""
    save(db, movie(2, slug="x"), movie(3, slug="y"))

    save(db, movie(1, slug="x"), movie(2, slug=None), movie(3, slug=None), update=True)

    assert _stored(db) == {1: "x", 2: "x-2", 3: "y"}
