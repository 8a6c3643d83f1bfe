"""
`app`: the movies of a mirror as most programs would serve them: FastAPI, ORM objects, models.

One handler a route, in FastAPI's threads, with eager loading. The fields are those of the YTS API.
"""

import os
from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import Depends, FastAPI, HTTPException, Query
from pydantic import BaseModel, ConfigDict, field_validator
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session, selectinload, sessionmaker

from database.models import Cast, Movie

_engine = create_engine(os.environ["BENCHMARK_DATABASE"], pool_size=20, max_overflow=20)
_sessions = sessionmaker(_engine)

app = FastAPI()


class _Row(BaseModel):
    model_config = ConfigDict(from_attributes=True)


class TorrentOut(_Row):
    """A torrent."""

    url: str | None
    hash: str
    quality: str | None
    type: str | None
    is_repack: bool | None
    video_codec: str | None
    bit_depth: int | None
    audio_channels: str | None
    seeds: int | None
    peers: int | None
    size: str | None
    size_bytes: int | None
    date_uploaded: datetime | None
    date_uploaded_unix: int | None


class MovieOut(_Row):
    """A movie of a list."""

    external_id: int
    url: str | None
    imdb_code: str | None
    title: str
    title_english: str | None
    title_long: str | None
    yts_slug: str | None
    year: int | None
    rating: float | None
    runtime: int | None
    genres: list[str]
    summary: str | None
    description_full: str | None
    synopsis: str | None
    yt_trailer_code: str | None
    language: str | None
    mpa_rating: str | None
    background_image: str | None
    background_image_original: str | None
    small_cover_image: str | None
    medium_cover_image: str | None
    large_cover_image: str | None
    torrents: list[TorrentOut]
    date_uploaded: datetime | None
    date_uploaded_unix: int | None

    @field_validator("genres", mode="before")
    @classmethod
    def _names(cls, genres: list) -> list[str]:
        return [genre.name for genre in genres]


class PersonOut(_Row):
    """A person of the cast."""

    name: str
    imdb_code: str | None
    url_small_image: str | None


class DetailsOut(MovieOut):
    """A movie with its cast."""

    like_count: int | None
    casts: list[PersonOut]


class PageOut(BaseModel):
    """A page of a list."""

    movie_count: int
    limit: int
    page_number: int
    movies: list[MovieOut]


def open_session() -> Iterator[Session]:
    """Yield a session for a request."""
    with _sessions() as session:
        yield session


Database = Annotated[Session, Depends(open_session)]


@app.get("/movies")
def list_movies(
    database: Database,
    limit: Annotated[int, Query(ge=1, le=50)] = 20,
    page: Annotated[int, Query(ge=1)] = 1,
) -> PageOut:
    """Return a page of movies, the newest first."""
    total = database.scalar(
        select(func.count()).select_from(Movie).where(Movie.gone_since.is_(None))
    )
    movies = database.scalars(
        select(Movie)
        .where(Movie.gone_since.is_(None))
        .options(selectinload(Movie.genres), selectinload(Movie.torrents))
        .order_by(Movie.external_id.desc())
        .limit(limit)
        .offset((page - 1) * limit)
    ).all()
    return PageOut(
        movie_count=total or 0,
        limit=limit,
        page_number=page,
        movies=[MovieOut.model_validate(movie) for movie in movies],
    )


@app.get("/movies/{movie_id}")
def movie_details(database: Database, movie_id: int) -> DetailsOut:
    """Return a movie with its cast."""
    movie = database.scalar(
        select(Movie)
        .where(Movie.external_id == movie_id, Movie.gone_since.is_(None))
        .options(
            selectinload(Movie.genres),
            selectinload(Movie.torrents),
            selectinload(Movie.casts).load_only(Cast.name, Cast.imdb_code, Cast.url_small_image),
        )
    )
    if movie is None:
        raise HTTPException(404)
    return DetailsOut.model_validate(movie)
