"""A user's program with every name that docs/api.md promises."""

import json
from typing import Any

from sqlalchemy import select

from database.db import DatabaseManager, get_db_manager
from database.models import (
    Base,
    Cast,
    EmbeddingSpace,
    Genre,
    Movie,
    MovieCast,
    MovieEmbedding,
    MovieGenre,
    Torrent,
)
from fetch_yts_data import fetch_movie_details, process_movie_batch


def use_everything() -> None:
    """Use each name, and raise an error if something differs from the promise."""
    first = fetch_movie_details(1)
    second = fetch_movie_details(2)
    assert first
    assert second
    assert fetch_movie_details(10**6) is None

    with get_db_manager() as other:
        db = get_db_manager(2, max_overflow=5)
        assert isinstance(db, DatabaseManager)
        assert db is not other
    # The other manager is closed; this one still works.
    save_and_find(db, first, second)
    read_and_filter(db, first)
    make_parts(db)
    assert process_movie_batch([2, 3, 4]).counts.saved == 2
    stats = db.get_stats()
    assert stats["total_movies"] == 5
    assert stats["total_genres"] > 1
    assert stats["total_cast"] > 1
    assert stats["total_torrents"] > 1
    db.close_all()
    db.close_all()


def save_and_find(db: DatabaseManager, first: dict[str, Any], second: dict[str, Any]) -> None:
    """Save dicts as the API sends them."""
    assert not db.movie_exists(1)
    success, movie_id, message = db.save_movie(first)
    assert (success, message) == (True, "created")
    assert db.save_movie(first) == (True, movie_id, "already_exists")
    assert db.save_movie(first, update=True) == (True, movie_id, "already_exists")
    changed = first | {"title": "Another title"}
    assert db.save_movie(changed) == (True, movie_id, "already_exists")
    assert db.save_movie(changed, update=True) == (True, movie_id, "updated")
    assert db.movie_exists(1)
    assert db.save_movie(second)[2] == "created"
    success, nothing, reason = db.save_movie({"id": 5, "rating": 11})
    assert (success, nothing) == (False, None)
    assert reason.startswith("rating: ")


def read_and_filter(db: DatabaseManager, first: dict[str, Any]) -> None:
    """Read with `session.query` and with `select`."""
    with db.get_session() as session:
        movie = session.query(Movie).filter_by(external_id=1).one()
        assert [genre.name for genre in movie.genres] == sorted(first["genres"])
        assert len(movie.casts) == len(first["cast"])
        assert {it.hash for it in movie.torrents} == {it["hash"] for it in first["torrents"]}
        for genre in session.scalars(select(Genre)):
            assert all(genre in movie.genres for movie in genre.movies)
            assert genre.movies
        good = select(Movie).where(Movie.rating >= 0.1).order_by(Movie.rating.desc())
        ratings = [movie.rating for movie in session.scalars(good)]
        assert ratings == sorted(ratings, reverse=True)
        assert ratings
        assert isinstance(ratings[0], float)
    # The values can be read after the session has ended.
    assert movie.title == "Another title"
    assert json.loads(json.dumps(movie.to_dict()))["external_id"] == 1


def make_parts(db: DatabaseManager) -> None:
    """Build a movie from parts that are found or created."""
    with db.get_session() as session:
        genre = db.get_or_create_genre(session, "Home video")
        assert db.get_or_create_genre(session, "Home video") is genre
        person = db.get_or_create_cast(session, {"name": "Me", "imdb_code": "9999999"})
        assert db.get_or_create_cast(session, {"name": "I", "imdb_code": "9999999"}) is person
        movie = Movie(external_id=900, title="By hand", slug="by-hand", genres=[genre])
        movie.cast_links.append(MovieCast(cast=person, character_name="Myself", position=0))
        movie.torrents.append(Torrent(hash="A" * 40, quality="720p"))
        session.add(movie)
        session.flush()
        space = EmbeddingSpace(
            model="m",
            model_hash="h",
            recipe=1,
            recommend_dimensions=364,
            search_dimensions=256,
            is_active=True,
        )
        vector = MovieEmbedding(movie=movie, space=space, document_hash="h", search=[0.5] * 256)
        session.add(vector)
    with db.get_session() as session:
        for model in (Movie, Genre, Cast, Torrent, MovieGenre, MovieCast, MovieEmbedding):
            assert issubclass(model, Base)
            for row in session.scalars(select(model)):
                assert json.loads(json.dumps(row.to_dict()))
    try:
        with db.get_session() as session:
            session.add(Movie(external_id=901, title="Undone"))
            session.flush()
            raise RuntimeError("changed my mind")
    except RuntimeError:
        assert not db.movie_exists(901)


if __name__ == "__main__":
    use_everything()
    print("as promised")  # noqa: T201 -- for the test that waits for it
