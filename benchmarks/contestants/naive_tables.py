"""The tables of the usual script, as ORM classes."""

from sqlalchemy import BigInteger, ForeignKey, UniqueConstraint
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Base of the tables."""


class MovieGenre(Base):
    """A link between a movie and a genre."""

    __tablename__ = "movie_genres"
    movie_id: Mapped[int] = mapped_column(ForeignKey("movies.id"), primary_key=True)
    genre_id: Mapped[int] = mapped_column(ForeignKey("genres.id"), primary_key=True)


class Genre(Base):
    """One genre."""

    __tablename__ = "genres"
    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)


class Cast(Base):
    """One person."""

    __tablename__ = "casts"
    id: Mapped[int] = mapped_column(primary_key=True)
    imdb_code: Mapped[str] = mapped_column(unique=True)
    name: Mapped[str]
    url_small_image: Mapped[str | None]


class MovieCast(Base):
    """A link between a person and a movie."""

    __tablename__ = "movie_casts"
    movie_id: Mapped[int] = mapped_column(ForeignKey("movies.id"), primary_key=True)
    cast_id: Mapped[int] = mapped_column(ForeignKey("casts.id"), primary_key=True)
    character_name: Mapped[str | None]
    person: Mapped[Cast] = relationship()


class Torrent(Base):
    """One torrent of a movie."""

    __tablename__ = "torrents"
    __table_args__ = (UniqueConstraint("movie_id", "hash"),)
    id: Mapped[int] = mapped_column(primary_key=True)
    movie_id: Mapped[int] = mapped_column(ForeignKey("movies.id"))
    hash: Mapped[str]
    url: Mapped[str | None]
    quality: Mapped[str | None]
    type: Mapped[str | None]
    is_repack: Mapped[bool]
    video_codec: Mapped[str | None]
    bit_depth: Mapped[int]
    audio_channels: Mapped[str | None]
    seeds: Mapped[int]
    peers: Mapped[int]
    size: Mapped[str | None]
    size_bytes: Mapped[int] = mapped_column(BigInteger)
    date_uploaded: Mapped[str | None]
    date_uploaded_unix: Mapped[int | None]


class Movie(Base):
    """One movie."""

    __tablename__ = "movies"
    id: Mapped[int] = mapped_column(primary_key=True)
    external_id: Mapped[int] = mapped_column(unique=True)
    imdb_code: Mapped[str | None]
    title: Mapped[str]
    title_english: Mapped[str | None]
    title_long: Mapped[str | None]
    slug: Mapped[str | None]
    year: Mapped[int | None]
    rating: Mapped[float | None]
    runtime: Mapped[int | None]
    language: Mapped[str | None]
    mpa_rating: Mapped[str | None]
    description_full: Mapped[str | None]
    description_intro: Mapped[str | None]
    yt_trailer_code: Mapped[str | None]
    like_count: Mapped[int | None]
    url: Mapped[str | None]
    background_image: Mapped[str | None]
    background_image_original: Mapped[str | None]
    small_cover_image: Mapped[str | None]
    medium_cover_image: Mapped[str | None]
    large_cover_image: Mapped[str | None]
    date_uploaded: Mapped[str | None]
    date_uploaded_unix: Mapped[int | None]
    genres: Mapped[list[Genre]] = relationship(secondary="movie_genres")
    roles: Mapped[list[MovieCast]] = relationship()
    torrents: Mapped[list[Torrent]] = relationship()
