"""`Movie`, `Genre`, `Cast`, `Torrent` and the other tables of the catalogue."""

from datetime import date, datetime
from decimal import Decimal
from typing import Any

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import (
    BigInteger,
    Computed,
    DateTime,
    ForeignKey,
    Identity,
    Index,
    MetaData,
    Numeric,
    SmallInteger,
    Text,
    UniqueConstraint,
    func,
    inspect,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, TSVECTOR
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column, relationship


class Base(DeclarativeBase):
    """Base of all tables; its metadata names every constraint."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map = {str: Text, datetime: DateTime(timezone=True)}  # noqa: RUF012 -- as SQLAlchemy reads it

    def to_dict(self) -> dict[str, Any]:
        """Return the columns as JSON values: dates in ISO 8601, vectors as lists."""
        hidden = self._hidden_columns()
        return {
            name: _json_ready(getattr(self, name))
            for name in inspect(type(self)).columns.keys()  # noqa: SIM118 -- not a dict
            if name not in hidden
        }

    @classmethod
    def _hidden_columns(cls) -> frozenset[str]:
        return frozenset()


#: A key of indexes that are read backward.
_ID_LAST = text("external_id DESC")


class Movie(Base):
    """
    A movie; null means that YTS did not give the value.

    Saving uses up an id even if it changes nothing, here and in `torrents`: therefore bigint.
    """

    __tablename__ = "movies"
    __table_args__ = (
        Index("idx_movies_search", "search_vector", postgresql_using="gin"),
        Index("ix_movies_search_key", text("search_key(title)")),
        Index(
            "ix_movies_name_vector", text("name_vector(name_words(title))"), postgresql_using="gin"
        ),
        # The next five have the orders of `database.search.lookup`, from the end to the beginning.
        Index("ix_movies_rating", "rating", text("like_count NULLS FIRST"), _ID_LAST),
        Index("ix_movies_like_count", "like_count", text("rating NULLS FIRST"), _ID_LAST),
        # The included columns let filters work without reading whole rows.
        Index(
            "ix_movies_year",
            "year",
            text("rating NULLS FIRST"),
            _ID_LAST,
            postgresql_include=["id", "runtime", "language", "gone_since"],
        ),
        Index("ix_movies_date_uploaded", "date_uploaded"),
        Index("ix_movies_title", text('"left"(title, 200)')),
        # For filters, where few movies match.
        Index("ix_movies_language", "language"),
        Index("ix_movies_runtime", "runtime"),
        Index("ix_movies_imdb_code", "imdb_code"),
        Index("ix_movies_created_at", "created_at"),
        Index("ix_movies_updated_at", "updated_at"),
        Index("ix_movies_details_fetched_at", "details_fetched_at"),
        Index(
            "ix_movies_renamed",
            "yts_slug",
            postgresql_where=text("slug IS DISTINCT FROM yts_slug"),
        ),
        Index("ix_movies_gone", "external_id", postgresql_where=text("gone_since IS NOT NULL")),
        Index(
            "ix_movies_without_details",
            "external_id",
            postgresql_where=text("details_fetched_at IS NULL"),
        ),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    external_id: Mapped[int] = mapped_column(unique=True, comment="id at YTS; the stable key")
    imdb_code: Mapped[str | None] = mapped_column(comment="with tt, as in tt0133093")
    title: Mapped[str] = mapped_column(comment="falls back to title_long, slug or imdb_code")
    title_english: Mapped[str | None]
    title_long: Mapped[str | None] = mapped_column(comment="title and year")
    slug: Mapped[str | None] = mapped_column(
        unique=True,
        comment="unique; of movies with one yts_slug, all except the first append their id",
    )
    year: Mapped[int | None] = mapped_column(SmallInteger)
    rating: Mapped[float | None] = mapped_column(
        Numeric(3, 1, asdecimal=False), comment="IMDb, 0.1 to 10"
    )
    runtime: Mapped[int | None] = mapped_column(SmallInteger, comment="minutes")
    language: Mapped[str | None] = mapped_column(comment="mostly ISO 639-1, as YTS writes it")
    mpa_rating: Mapped[str | None] = mapped_column(comment="free text: R, PG-13, 16 ...")
    summary: Mapped[str | None]
    description_full: Mapped[str | None]
    description_intro: Mapped[str | None]
    synopsis: Mapped[str | None]
    yt_trailer_code: Mapped[str | None] = mapped_column(comment="YouTube video id")
    like_count: Mapped[int | None]
    url: Mapped[str | None] = mapped_column(
        comment="the host is the domain of YTS at the time of the request"
    )
    background_image: Mapped[str | None] = mapped_column(comment="URL")
    background_image_original: Mapped[str | None] = mapped_column(comment="URL")
    small_cover_image: Mapped[str | None] = mapped_column(comment="URL")
    medium_cover_image: Mapped[str | None] = mapped_column(comment="URL")
    large_cover_image: Mapped[str | None] = mapped_column(comment="URL")
    date_uploaded: Mapped[datetime | None] = mapped_column(
        comment="YTS wall clock read as Europe/Paris"
    )
    date_uploaded_unix: Mapped[int | None] = mapped_column(
        BigInteger, comment="seconds, as sent; differs by hours when the server's time zone changed"
    )
    search_vector: Mapped[str | None] = mapped_column(
        TSVECTOR, deferred=True, comment="title A, cast and genres B, description C"
    )
    details_fetched_at: Mapped[datetime | None] = mapped_column(
        comment="null: known from a list page only, without cast and likes"
    )
    created_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="when this mirror stored the movie first"
    )
    updated_at: Mapped[datetime] = mapped_column(
        server_default=func.now(),
        comment="last change, gone_since included; not of seeds, peers, likes, cast, hosts in URLs",
    )
    fetched_at: Mapped[datetime] = mapped_column(
        server_default=func.now(), comment="when the newest response in this row was requested"
    )
    gone_since: Mapped[datetime | None] = mapped_column(
        comment="when YTS neither listed the movie nor had its details; null: YTS has it"
    )
    document_hash: Mapped[str | None] = mapped_column(
        deferred=True,
        comment="SHA-256 of the texts that are searched; null: not computed yet",
    )
    yts_slug: Mapped[str | None] = mapped_column(
        comment="slug as YTS gives it; several movies may share it"
    )

    genres: Mapped[list["Genre"]] = relationship(
        secondary="movie_genres", back_populates="movies", order_by="Genre.name"
    )
    cast_links: Mapped[list["MovieCast"]] = relationship(
        back_populates="movie", order_by="MovieCast.position", cascade="all, delete-orphan"
    )
    #: For reading; people and roles are added through `cast_links`.
    casts: Mapped[list["Cast"]] = relationship(
        secondary="movie_casts", order_by="MovieCast.position", viewonly=True
    )
    torrents: Mapped[list["Torrent"]] = relationship(
        back_populates="movie", order_by="Torrent.id", cascade="all, delete-orphan"
    )

    def to_dict(self) -> dict[str, Any]:
        """
        Add genre names, cast with roles, and torrents to the columns.

        If the movie is detached from its session, those that were not loaded are left out.
        """
        state = inspect(self)
        absent = state.unloaded if state.detached else frozenset()
        movie = super().to_dict()
        if "genres" not in absent:
            movie["genres"] = [genre.name for genre in self.genres]
        if "cast_links" not in absent:
            movie["casts"] = [link.to_dict() for link in self.cast_links]
        if "torrents" not in absent:
            movie["torrents"] = [torrent.to_dict() for torrent in self.torrents]
        return movie

    @classmethod
    def _hidden_columns(cls) -> frozenset[str]:
        return frozenset({"search_vector", "document_hash"})


class Genre(Base):
    """A genre, by the name that YTS uses."""

    __tablename__ = "genres"

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str] = mapped_column(unique=True)

    movies: Mapped[list[Movie]] = relationship(
        secondary="movie_genres", back_populates="genres", order_by=Movie.id
    )


class Cast(Base):
    """A person, identified by the IMDb code, or by the name where YTS gives no code."""

    __tablename__ = "casts"
    __table_args__ = (
        Index(
            "uq_casts_imdb_code",
            "imdb_code",
            unique=True,
            postgresql_where=text("imdb_code IS NOT NULL"),
        ),
        Index(
            "uq_casts_name_without_code",
            "name",
            unique=True,
            postgresql_where=text("imdb_code IS NULL"),
        ),
        Index("ix_casts_name", "name"),
        Index("ix_casts_search_key", text("search_key(name)")),
        Index(
            "ix_casts_name_vector", text("name_vector(name_words(name))"), postgresql_using="gin"
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    name: Mapped[str]
    imdb_code: Mapped[str | None] = mapped_column(comment="digits without nm, leading zeros kept")
    url_small_image: Mapped[str | None] = mapped_column(comment="URL")

    movies: Mapped[list[Movie]] = relationship(
        secondary="movie_casts", order_by=Movie.id, viewonly=True
    )


class Torrent(Base):
    """The metadata of one torrent of a movie."""

    __tablename__ = "torrents"
    __table_args__ = (
        UniqueConstraint("movie_id", "hash"),
        Index("ix_torrents_quality", text("lower(quality)")),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(), primary_key=True)
    movie_id: Mapped[int] = mapped_column(ForeignKey("movies.id", ondelete="CASCADE"))
    hash: Mapped[str] = mapped_column(comment="40 hex digits, upper case; not unique over movies")
    url: Mapped[str | None]
    quality: Mapped[str | None] = mapped_column(comment="720p, 1080p, 2160p, 3D ...")
    type: Mapped[str | None] = mapped_column(comment="web, bluray ...")
    is_repack: Mapped[bool | None]
    video_codec: Mapped[str | None]
    bit_depth: Mapped[int | None] = mapped_column(SmallInteger, comment="bits")
    audio_channels: Mapped[str | None] = mapped_column(comment="2.0, 5.1 ...")
    seeds: Mapped[int | None] = mapped_column(comment="at the last change; YTS clamps at 100")
    peers: Mapped[int | None] = mapped_column(comment="at the last change; YTS clamps at 100")
    size: Mapped[str | None] = mapped_column(comment="as shown, for instance 1.69 GB")
    size_bytes: Mapped[int | None] = mapped_column(BigInteger, comment="bytes")
    date_uploaded: Mapped[datetime | None] = mapped_column(
        comment="YTS wall clock read as Europe/Paris"
    )
    date_uploaded_unix: Mapped[int | None] = mapped_column(BigInteger, comment="seconds, as sent")

    movie: Mapped[Movie] = relationship(back_populates="torrents")


class MovieGenre(Base):
    """A genre of a movie."""

    __tablename__ = "movie_genres"
    # With the movie, so that the movies of several genres are found without reading rows.
    __table_args__ = (Index("ix_movie_genres_genre_id", "genre_id", "movie_id"),)

    movie_id: Mapped[int] = mapped_column(
        ForeignKey("movies.id", ondelete="CASCADE"), primary_key=True
    )
    genre_id: Mapped[int] = mapped_column(
        ForeignKey("genres.id", ondelete="CASCADE"), primary_key=True
    )


class MovieCast(Base):
    """A person in a movie: the union of all samples that YTS gave."""

    __tablename__ = "movie_casts"
    __table_args__ = (Index("ix_movie_casts_cast_id", "cast_id"),)

    movie_id: Mapped[int] = mapped_column(
        ForeignKey("movies.id", ondelete="CASCADE"), primary_key=True
    )
    cast_id: Mapped[int] = mapped_column(
        ForeignKey("casts.id", ondelete="CASCADE"), primary_key=True
    )
    character_name: Mapped[str | None]
    position: Mapped[int] = mapped_column(
        SmallInteger,
        comment="order in which responses first had the person, from 0; not the billing",
    )

    movie: Mapped[Movie] = relationship(back_populates="cast_links")
    cast: Mapped[Cast] = relationship()

    def to_dict(self) -> dict[str, Any]:
        """Add the name and IMDb code of the person, if they are loaded or can be loaded."""
        link = super().to_dict()
        state = inspect(self)
        if not (state.detached and "cast" in state.unloaded):
            link |= {"name": self.cast.name, "imdb_code": self.cast.imdb_code}
        return link


class EmbeddingSpace(Base):
    """One model with one recipe: vectors of two spaces are never compared."""

    __tablename__ = "embedding_spaces"
    __table_args__ = (
        UniqueConstraint("model_hash", "recipe"),
        Index(
            "uq_embedding_spaces_active",
            "is_active",
            unique=True,
            postgresql_where=text("is_active"),
        ),
    )

    id: Mapped[int] = mapped_column(Identity(), primary_key=True)
    model: Mapped[str] = mapped_column(comment="name of the model")
    model_folder: Mapped[str | None] = mapped_column(
        comment="folder with the model's files; null: the installed package"
    )
    model_hash: Mapped[str] = mapped_column(comment="SHA-256 of the model's files")
    recipe: Mapped[int] = mapped_column(comment="version of the recipe")
    recommend_dimensions: Mapped[int] = mapped_column(SmallInteger)
    search_dimensions: Mapped[int] = mapped_column(SmallInteger)
    is_active: Mapped[bool] = mapped_column(
        comment="whether searches use it; at most one space is active"
    )
    created_at: Mapped[datetime] = mapped_column(server_default=func.now())


class MovieEmbedding(Base):
    """
    The two vectors of one movie in one space, which has an index for each of them if it is large.

    The space has their lengths. *search* is a unit vector; *recommend* is one if nothing is
    unknown.
    """

    __tablename__ = "movie_embeddings"
    __table_args__ = (Index("ix_movie_embeddings_movie_id", "movie_id"),)

    space_id: Mapped[int] = mapped_column(
        ForeignKey("embedding_spaces.id", ondelete="CASCADE"), primary_key=True
    )
    movie_id: Mapped[int] = mapped_column(
        ForeignKey("movies.id", ondelete="CASCADE"), primary_key=True
    )
    document_hash: Mapped[str] = mapped_column(
        comment="document_hash of the movie when the vectors were computed"
    )
    recommend: Mapped[Any] = mapped_column(
        HALFVEC(), nullable=True, comment="null: the movie has nothing that can be compared"
    )
    search: Mapped[Any] = mapped_column(
        HALFVEC(), nullable=True, comment="null: the movie has nothing that can be searched"
    )

    movie: Mapped[Movie] = relationship()
    space: Mapped[EmbeddingSpace] = relationship()


class SearchWord(Base):
    """A word of the documents, refreshed after runs; see `database.search.word_counts`."""

    __tablename__ = "search_words"
    __table_args__ = (Index("ix_search_words_keys", "keys", postgresql_using="gin"),)

    word: Mapped[str] = mapped_column(primary_key=True)
    movies: Mapped[int] = mapped_column(
        comment="number of movies with the word; of the empty word: of all counted movies"
    )
    keys: Mapped[list[str] | None] = mapped_column(
        ARRAY(Text),
        Computed(
            "CASE WHEN is_name AND length(word) BETWEEN 4 AND 30 THEN word_keys(word) END",
            persisted=True,
        ),
        comment="keys that find the word despite a typing error; null: not found that way",
    )
    is_name: Mapped[bool] = mapped_column(comment="in a title, a genre or a name")


class CatalogueCount(Base):
    """
    A part of a number of rows; the number is the sum over all shards. Only triggers write it.

    A transaction adds to a shard that no other transaction is using: see migration 0004.
    """

    __tablename__ = "catalogue_counts"
    __table_args__ = {"postgresql_with": {"fillfactor": 50}}  # noqa: RUF012 -- as SQLAlchemy reads it

    name: Mapped[str] = mapped_column(
        primary_key=True,
        comment="table, table.column for its values, movie_genres.ID for movies of a genre",
    )
    shard: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    value: Mapped[Decimal] = mapped_column(Numeric)


def _json_ready(value: Any) -> Any:
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return float(value)
    if hasattr(value, "to_list"):
        return value.to_list()
    return value
