"""`movie`, `list_row`, `save`, `read`: invented movies, and functions that save and read them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import requests
from sqlalchemy import text

from database.db import DatabaseManager
from database.writing.movies import save_movies
from sandbox.api.sandbox_server import Sandbox
from yts.payload import MoviePayload, parse_movie

Json = dict[str, Any]

#: The tables of movies and of runs, which `empty` truncates.
TABLES = (
    "movies, genres, casts, torrents, movie_genres, movie_casts, movie_embeddings, search_words, "
    "fetch_runs, fetch_failures, missing_movies, sync_state, listed_movies"
)


def movie(movie_id: int, **changes: Any) -> Json:
    """Return the details of a movie as YTS sends them, different for each id."""
    return {
        "id": movie_id,
        "url": f"https://yts.gg/movies/film-{movie_id}",
        "imdb_code": f"tt{movie_id:07}",
        "title": f"Film {movie_id}",
        "title_english": f"Film {movie_id}",
        "title_long": f"Film {movie_id} (2014)",
        "slug": f"film-{movie_id}-2014",
        "year": 2014,
        "rating": 6.3,
        "runtime": 101,
        "genres": ["Action", "Drama"],
        "like_count": 7,
        "description_intro": "Somebody does something.",
        "description_full": "Somebody does something.",
        "yt_trailer_code": "abcdefghijk",
        "language": "en",
        "mpa_rating": "R",
        "large_cover_image": f"https://yts.gg/assets/images/film_{movie_id}/large-cover.jpg",
        "torrents": [torrent(f"{movie_id:X}A"), torrent(f"{movie_id:X}B", quality="1080p")],
        "date_uploaded": "2015-11-01 03:51:26",
        "date_uploaded_unix": 1446346286,
        "cast": [person(movie_id + 1000), person(1, character_name="Herself")],
    } | changes


def list_row(details: Json) -> Json:
    """Return the row of a list page for the movie with *details*."""
    text = details["description_full"]
    without = {"cast", "like_count", "description_intro"}
    return {name: value for name, value in details.items() if name not in without} | {
        "summary": text,
        "synopsis": text,
        "state": "ok",
    }


def torrent(hash_: str, **changes: Any) -> Json:
    """Return a torrent as YTS sends it."""
    return {
        "url": f"https://yts.gg/torrent/download/{hash_:0>40}",
        "hash": f"{hash_:0>40}",
        "quality": "720p",
        "type": "web",
        "is_repack": "0",
        "video_codec": "x264",
        "bit_depth": "8",
        "audio_channels": "2.0",
        "seeds": 50,
        "peers": 20,
        "size": "8.3 GB",
        "size_bytes": 8_900_000_000,
        "date_uploaded": "2015-11-01 03:51:26",
        "date_uploaded_unix": 1446346286,
    } | changes


def person(number: int, **changes: Any) -> Json:
    """Return an entry of a cast as YTS sends it."""
    return {
        "name": f"Person {number}",
        "character_name": f"Role {number}",
        "imdb_code": f"{number:07}",
        "url_small_image": f"https://yts.gg/assets/images/actors/{number}.jpg",
    } | changes


def fetch_details(sandbox: Sandbox, movie_ids: Sequence[int]) -> list[Json]:
    """Return the details of movies of the sandbox; ids that it does not have are left out."""
    movies = []
    with requests.Session() as session:
        for movie_id in movie_ids:
            response = session.get(
                f"{sandbox.url}/movie_details.json",
                params={"movie_id": str(movie_id), "with_cast": "true"},
                timeout=30,
            )
            if (details := response.json()["data"]["movie"])["id"] == movie_id:
                movies.append(details)
    return movies


def fetch_list_rows(sandbox: Sandbox, page: int = 1) -> list[Json]:
    """Return a list page of the sandbox with up to 50 movies; none past the end."""
    query = {"limit": "50", "page": str(page), "order_by": "asc"}
    response = requests.get(f"{sandbox.url}/list_movies.json", params=query, timeout=30)
    rows: list[Json] = response.json()["data"].get("movies", [])
    return rows


def payloads(movies: Sequence[Json]) -> list[MoviePayload]:
    """Parse movies as a fetch does."""
    return [parse_movie(details) for details in movies]


def save(
    db: DatabaseManager,
    *movies: Json,
    has_details: bool = True,
    update: bool = False,
    asked_at: datetime | None = None,
) -> dict[int, str]:
    """Save *movies* as one batch, in a transaction of its own; return their outcomes."""
    with db.get_session() as session:
        saved = payloads(movies)
        outcomes = save_movies(
            session,
            saved,
            detailed=[movie.id for movie in saved] if has_details else [],
            update=update,
            asked_at=asked_at,
        )
    return dict(outcomes)


def empty(db: DatabaseManager) -> None:
    """Remove all rows."""
    with db.get_session() as session:
        session.execute(text(f"TRUNCATE {TABLES} RESTART IDENTITY"))


def read(db: DatabaseManager, query: str) -> list[Any]:
    """Return the rows of *query*; those of one column as bare values."""
    with db.get_session() as session:
        rows = session.execute(text(query)).all()
    return [row[0] if len(row) == 1 else tuple(row) for row in rows]


def read_one(db: DatabaseManager, columns: str, movie_id: int) -> Any:
    """Return columns of one movie."""
    (row,) = read(db, f"SELECT {columns} FROM movies WHERE external_id = {movie_id}")
    return row


def updated_at(db: DatabaseManager, movie_id: int) -> datetime:
    """Return when the movie was last changed."""
    moment: datetime = read_one(db, "updated_at", movie_id)
    return moment
