"""`join_details`: one row with details equals a list row that is completed by its details."""

from datetime import UTC, datetime
from typing import Any

import pytest

from database.db import DatabaseManager
from database.step import Step, save_step
from tests.support.data.movies import empty, list_row, movie, person, save, torrent
from tests.support.databases import table_contents
from yts.join_details import join_details
from yts.payload import parse_movie

#: Changes of the list row and of the details, each of one movie.
PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "equal": ({}, {}),
    "the details know less": (
        {"year": 1999, "mpa_rating": "PG", "torrents": [torrent("A", video_codec="x265")]},
        {"year": 0, "mpa_rating": "", "torrents": [torrent("A", video_codec="")]},
    ),
    "the row knows less": (
        {"genres": None, "torrents": None, "imdb_code": ""},
        {"cast": [person(1), person(1, character_name=""), person(2, imdb_code="")]},
    ),
    "other values": (
        {"title": "Before", "rating": 5.5, "genres": ["Horror"], "torrents": [torrent("A")]},
        {"title": "After", "rating": 6.5, "genres": ["Comedy"], "torrents": [torrent("B")]},
    ),
    "nothing left": ({}, {"genres": [], "torrents": [], "cast": []}),
    "genres in another language": ({}, {"genres": ["دراما", "Drama"]}),
    "genres in another language, and none before": ({"genres": []}, {"genres": ["دراما"]}),
    "other spellings": ({"genres": ["Sci-Fi"]}, {"genres": ["sci-fi "]}),
}


@pytest.mark.parametrize("pair", PAIRS.values(), ids=PAIRS)
def test_a_movie_in_one_row_equals_one_in_two_steps(
    db: DatabaseManager, pair: tuple[dict[str, Any], dict[str, Any]]
) -> None:
    """All columns are equal, the search document included."""
    row, details = list_row(movie(7)) | pair[0], movie(7) | pair[1]
    save(db, row, has_details=False)
    save(db, details)
    in_two_steps = table_contents(db)
    empty(db)

    joined = join_details(parse_movie(row), parse_movie(details))
    save_step(db, None, Step((joined,), detailed=frozenset({7}), asked_at=datetime.now(UTC)))

    assert table_contents(db) == in_two_steps
