"""`HAPPENINGS`: functions that change the tables of a catalogue, to be called in random order."""

import random
from collections.abc import Callable
from typing import Any

from sqlalchemy import text

from database.bookkeeping.missing import clear_missing, record_missing
from database.bookkeeping.sweep_state import set_gone_check
from database.db import DatabaseManager
from tests.support.data.movies import Json, list_row, movie, person, save

IDS = range(1, 41)
GENRES = ["Action", "Comedy", "Drama", "Horror", "War"]

#: Statements that another program may run.
_STATEMENTS = [
    "DELETE FROM movies WHERE external_id {some}",
    "DELETE FROM genres WHERE name = '{genre}'",
    "DELETE FROM casts WHERE name LIKE '%{digit}'",
    "DELETE FROM torrents WHERE hash LIKE '%{digit}A'",
    "UPDATE movies SET rating = nullif(10 - rating, 0) WHERE external_id {some}",
    "UPDATE movies SET details_fetched_at = NULL WHERE external_id {some}",
    """UPDATE movie_genres SET genre_id = (SELECT max(id) FROM genres) WHERE movie_id NOT IN (
        SELECT movie_id FROM movie_genres GROUP BY 1 HAVING count(*) > 1)""",
    """INSERT INTO movies (external_id, title, rating) VALUES ({low}, 'x', 3.3), (9{low}, 'y', 7)
        ON CONFLICT (external_id) DO UPDATE SET rating = NULL""",
    """WITH gone AS (DELETE FROM movies WHERE external_id {some} RETURNING title)
        INSERT INTO casts (name) SELECT title FROM gone ON CONFLICT DO NOTHING""",
    """INSERT INTO movie_embeddings (space_id, movie_id, document_hash)
        SELECT space.id, movies.id, '{digit}' FROM embedding_spaces AS space, movies
        WHERE external_id {some}
        ON CONFLICT (space_id, movie_id) DO UPDATE SET document_hash = ''""",
    """INSERT INTO embedding_spaces
        (model, model_hash, recipe, recommend_dimensions, search_dimensions, is_active)
        SELECT '', '{digit}', {low}, 3, 3, NOT EXISTS (SELECT FROM embedding_spaces)
        ON CONFLICT (model_hash, recipe) DO NOTHING""",
    "UPDATE embedding_spaces SET is_active = false",
    "DELETE FROM embedding_spaces WHERE model_hash = '{digit}'",
    "DELETE FROM movie_embeddings WHERE document_hash = '{digit}'",
    "TRUNCATE movies CASCADE",
    "TRUNCATE torrents",
]

Happening = Callable[[DatabaseManager, random.Random], Any]


def _movies(rng: random.Random) -> list[Json]:
    return [
        movie(
            number,
            genres=rng.sample(GENRES, rng.randrange(4)),
            rating=rng.choice([0, 0.1, 5.5, 10]),
            cast=[person(index) for index in rng.sample(range(30), 2)],
        )
        for number in rng.sample(IDS, 12)
    ]


def _save_details(db: DatabaseManager, rng: random.Random) -> None:
    save(db, *_movies(rng), update=rng.random() < 0.5)


def _save_list_rows(db: DatabaseManager, rng: random.Random) -> None:
    rows = [list_row(json) for json in _movies(rng)]
    save(db, *rows, has_details=False, update=rng.random() < 0.5)


def _mark(db: DatabaseManager, rng: random.Random) -> None:
    with db.get_session() as session:
        set_gone_check(session, is_due=True)
        ids = rng.sample(IDS, 12)
        if rng.random() < 0.5:
            record_missing(session, ids, "https://yts.gg/api/v2")
        else:
            clear_missing(session, ids)


def _take_back(db: DatabaseManager, rng: random.Random) -> None:
    with db.get_session() as session:
        session.execute(_some_sql(rng))
        session.rollback()


def _take_back_in_part(db: DatabaseManager, rng: random.Random) -> None:
    with db.get_session() as session:
        session.execute(_some_sql(rng))
        with session.begin_nested() as part:
            session.execute(_some_sql(rng))
            part.rollback()
        session.execute(_some_sql(rng))


def _run_sql(db: DatabaseManager, rng: random.Random) -> None:
    with db.get_session() as session:
        session.execute(_some_sql(rng))


def _some_sql(rng: random.Random) -> Any:
    low = rng.choice(IDS)
    some = f"BETWEEN {low} AND {low + 4}"
    digit, genre = low % 10, rng.choice(GENRES)
    return text(rng.choice(_STATEMENTS).format(low=low, some=some, digit=digit, genre=genre))


#: Movies are saved more often than other things happen to them.
HAPPENINGS: list[Happening] = [
    *[_save_details] * 4,
    *[_save_list_rows] * 2,
    _mark,
    *[_run_sql] * 4,
    _take_back,
    _take_back_in_part,
]
