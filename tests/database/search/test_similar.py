"""`similar_movies`, `recommend_movies`: what the parts of a score do, for one and for several."""

from typing import Any

import pytest
from sqlalchemy import URL, select
from sqlalchemy.orm import Session

from database.db import DatabaseManager
from database.models import Movie
from database.search.similar.parts import Parts, read_parts
from database.search.similar.ranking import recommend_movies, similar_movies
from database.search.word_counts import refresh_words
from database.vectors.spaces import read_active_space
from tests.support.data.movies import movie, person, save

PLOT = "A keeper guards the lighthouse."
#: For each part: what makes a movie better than an equal one, and what the compared movie is like.
BETTER: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "words": ({"description_full": f"{PLOT} Kraken."}, {"description_full": f"{PLOT} The kraken!"}),
    "years": ({"year": 2013}, {}),
    "title": ({"title": "Lanterns II: Return"}, {"title": "Lantern"}),
    "rating": ({"rating": 8.9, "like_count": 4000}, {}),
    "likes": ({"like_count": 4000}, {}),
    "cast": ({"cast": [person(77)]}, {"cast": [person(77)]}),
}


def save_pair(db: DatabaseManager, better: dict[str, Any], own: dict[str, Any]) -> None:
    """Save movie 1, movie 2 that differs from it by *better*, movie 3 like 2, and some others."""
    plain = {"cast": [], "description_full": PLOT, "year": 2000, "like_count": 40}
    others = [
        movie(
            number, cast=[person(number)], year=1950, like_count=4000, title=f"N{'x' * number}",
            description_full=f"Robots {'a' * number} invade." + " Kraken." * (number == 9),
        )
        for number in range(4, 20)
    ]  # fmt: skip
    own = plain | {"title": "Beacon", "year": 2014} | own
    save(
        db, movie(1, **own), movie(2, **(plain | {"title": "Shore"} | better)),
        movie(3, **(plain | {"title": "Coast"})), *others,
    )  # fmt: skip


@pytest.mark.parametrize("part", BETTER)
def test_each_part_of_the_score_is_larger_for_the_movie_that_has_more_of_it(
    db: DatabaseManager, part: str
):
    """And this movie comes first, although both are equally near."""
    from embeddings.index import embed_all

    save_pair(db, *BETTER[part])
    embed_all(db)
    with db.get_session() as session:
        refresh_words(session, is_full=True)
        ids = dict(session.execute(select(Movie.external_id, Movie.id)).all())
        parts = read(session, ids[1], [ids[2], ids[3]])
        assert getattr(parts[ids[2]], part) > getattr(parts[ids[3]], part)
        ranked = [near.row_id for near in similar_movies(session, ids[1])]
        assert ranked.index(ids[2]) < ranked.index(ids[3])


def read(session: Session, own_id: int, row_ids: list[int]) -> dict[int, Parts]:
    """Return the parts of each of *row_ids* compared with *own_id*."""
    space = read_active_space(session)
    assert space is not None
    compared = read_parts(session, [own_id], row_ids, space_id=space.id)
    return {row_id: its[own_id] for row_id, its in compared.parts.items()}


def test_the_first_result_of_a_longer_list_is_that_of_a_shorter_one(mirror_url: URL):
    """Lists of up to 100 are parts of one order, and no score is larger than the one before it."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        row_id = session.scalars(select(Movie.id).order_by(Movie.external_id)).first()
        assert row_id is not None
        near = similar_movies(session, row_id, limit=100)
        assert similar_movies(session, row_id, limit=10) == near[:10]
        scores = [each.score for each in near]
        assert scores == sorted(scores, reverse=True)
        assert all(0 <= getattr(each.parts, part) <= 1 for each in near for part in BETTER)


def test_unknown_likes_years_and_ratings_are_those_of_an_average_movie(db: DatabaseManager):
    """A movie with an unknown value is neither first nor last because of it."""
    from embeddings.index import embed_all

    save(
        db, movie(1), movie(2, like_count=None, rating=0, year=0),
        movie(3, like_count=9000, rating=9.9), movie(4, like_count=9, rating=1.1, year=1920),
    )  # fmt: skip
    embed_all(db)
    with db.get_session() as session:
        ids = dict(session.execute(select(Movie.external_id, Movie.id)).all())
        parts = read(session, ids[1], [ids[2], ids[3], ids[4]])
        for part in ("likes", "rating", "years"):
            low, unknown, high = (getattr(parts[ids[number]], part) for number in (4, 2, 3))
            assert low < unknown < high, part


def test_a_recommendation_is_a_mean_for_all_liked_movies(mirror_url: URL):
    """Unwanted movies take away half of the mean for them. None of the given movies returns."""
    with DatabaseManager(mirror_url) as db, db.get_session() as session:
        one, other, unwanted = session.scalars(select(Movie.id).order_by(Movie.id).limit(3))
        near = recommend_movies(session, [one, other, one], limit=100)
        scores = read_scores(session, [one, other], [each.row_id for each in near])

        assert len(near) == 100
        assert not {one, other} & {each.row_id for each in near}
        for each in near:
            of_both = scores[each.row_id]
            assert each.score == pytest.approx(sum(of_both.values()) / 2)
            assert of_both[each.like_id] == max(of_both.values())
        less = recommend_movies(session, [one, other], [unwanted], limit=100)
        assert unwanted not in {each.row_id for each in less}
        before = {each.row_id: each.score for each in near}
        lost = {it.row_id: before[it.row_id] - it.score for it in less if it.row_id in before}
        disliked = read_scores(session, [unwanted], [*lost])
        for row_id, loss in lost.items():
            assert loss == pytest.approx(0.5 * disliked[row_id][unwanted])


def read_scores(
    session: Session, own_ids: list[int], row_ids: list[int]
) -> dict[int, dict[int, float]]:
    """Return the totals of the parts of *row_ids* for each of *own_ids*."""
    space = read_active_space(session)
    assert space is not None
    parts = read_parts(session, own_ids, row_ids, space_id=space.id).parts
    return {
        row_id: {own_id: each.total for own_id, each in its.items()}
        for row_id, its in parts.items()
    }
