"""
initial tables

Revision ID: 0001
Revises:

The extension stays on downgrade: it may have been there before, and others may use it.
"""

from collections.abc import Sequence

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0001"
down_revision: str | None = None
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("CREATE EXTENSION IF NOT EXISTS vector")
    op.create_table(
        "casts",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "imdb_code", sa.Text(), nullable=True, comment="digits without nm, leading zeros kept"
        ),
        sa.Column("url_small_image", sa.Text(), nullable=True, comment="URL"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_casts")),
    )
    op.create_index("ix_casts_name", "casts", ["name"], unique=False)
    op.create_index(
        "uq_casts_imdb_code",
        "casts",
        ["imdb_code"],
        unique=True,
        postgresql_where=sa.text("imdb_code IS NOT NULL"),
    )
    op.create_index(
        "uq_casts_name_without_code",
        "casts",
        ["name"],
        unique=True,
        postgresql_where=sa.text("imdb_code IS NULL"),
    )
    op.create_table(
        "fetch_failures",
        sa.Column("kind", sa.Text(), nullable=False, comment="page or movie"),
        sa.Column("key", sa.Text(), nullable=False, comment="asc:17 for a page, else the YTS id"),
        sa.Column("stage", sa.Text(), nullable=False, comment="fetch, parse or save"),
        sa.Column("error_class", sa.Text(), nullable=False),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), server_default="1", nullable=False),
        sa.Column(
            "first_failed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_failed_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("next_attempt_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("kind", "key", name=op.f("pk_fetch_failures")),
    )
    op.create_index(
        "ix_fetch_failures_next_attempt_at", "fetch_failures", ["next_attempt_at"], unique=False
    )
    op.create_table(
        "fetch_runs",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("command", sa.Text(), nullable=False, comment="without anything secret"),
        sa.Column("api_url", sa.Text(), nullable=True),
        sa.Column("phase", sa.Text(), nullable=False, comment="starting, pages, details or ended"),
        sa.Column(
            "started_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "heartbeat_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "finished_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null: running or killed",
        ),
        sa.Column("exit_code", sa.SmallInteger(), nullable=True),
        sa.Column(
            "requests",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="made, retries included",
        ),
        sa.Column(
            "pages_expected", sa.Integer(), server_default="0", nullable=False, comment="estimate"
        ),
        sa.Column("pages_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column("details_expected", sa.Integer(), server_default="0", nullable=False),
        sa.Column("details_read", sa.Integer(), server_default="0", nullable=False),
        sa.Column(
            "planned",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="movies handled, on a page or by details; sum of the outcomes",
        ),
        sa.Column("saved", sa.Integer(), server_default="0", nullable=False, comment="new rows"),
        sa.Column(
            "updated",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="rows changed or completed",
        ),
        sa.Column(
            "unchanged",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="compared and equal",
        ),
        sa.Column(
            "skipped", sa.Integer(), server_default="0", nullable=False, comment="known, left alone"
        ),
        sa.Column(
            "missing",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="YTS has no such movie",
        ),
        sa.Column(
            "failed", sa.Integer(), server_default="0", nullable=False, comment="in fetch_failures"
        ),
        sa.CheckConstraint(
            "planned = saved + updated + unchanged + skipped + missing + failed",
            name=op.f("ck_fetch_runs_outcomes_add_up"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fetch_runs")),
    )
    op.create_index("ix_fetch_runs_started_at", "fetch_runs", ["started_at"], unique=False)
    op.create_table(
        "genres",
        sa.Column("id", sa.Integer(), sa.Identity(always=False), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_genres")),
        sa.UniqueConstraint("name", name=op.f("uq_genres_name")),
    )
    op.create_table(
        "missing_movies",
        sa.Column("external_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "first_missing_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "last_asked_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column("ask_again_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("external_id", name=op.f("pk_missing_movies")),
    )
    op.create_table(
        "movies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("external_id", sa.Integer(), nullable=False, comment="id at YTS; the stable key"),
        sa.Column("imdb_code", sa.Text(), nullable=True, comment="with tt, as in tt0133093"),
        sa.Column(
            "title",
            sa.Text(),
            nullable=False,
            comment="falls back to title_long, slug or imdb_code",
        ),
        sa.Column("title_english", sa.Text(), nullable=True),
        sa.Column("title_long", sa.Text(), nullable=True, comment="title and year"),
        sa.Column(
            "slug",
            sa.Text(),
            nullable=True,
            comment="of movies sharing one, all but the lowest external_id add theirs",
        ),
        sa.Column("year", sa.SmallInteger(), nullable=True),
        sa.Column(
            "rating",
            sa.Numeric(precision=3, scale=1, asdecimal=False),
            nullable=True,
            comment="IMDb, 0.1 to 10",
        ),
        sa.Column("runtime", sa.SmallInteger(), nullable=True, comment="minutes"),
        sa.Column(
            "language", sa.Text(), nullable=True, comment="mostly ISO 639-1, as YTS writes it"
        ),
        sa.Column("mpa_rating", sa.Text(), nullable=True, comment="free text: R, PG-13, 16 ..."),
        sa.Column("summary", sa.Text(), nullable=True),
        sa.Column("description_full", sa.Text(), nullable=True),
        sa.Column("description_intro", sa.Text(), nullable=True),
        sa.Column("synopsis", sa.Text(), nullable=True),
        sa.Column("yt_trailer_code", sa.Text(), nullable=True, comment="YouTube video id"),
        sa.Column("like_count", sa.Integer(), nullable=True),
        sa.Column(
            "url", sa.Text(), nullable=True, comment="the host is the site's domain of that month"
        ),
        sa.Column("background_image", sa.Text(), nullable=True, comment="URL"),
        sa.Column("background_image_original", sa.Text(), nullable=True, comment="URL"),
        sa.Column("small_cover_image", sa.Text(), nullable=True, comment="URL"),
        sa.Column("medium_cover_image", sa.Text(), nullable=True, comment="URL"),
        sa.Column("large_cover_image", sa.Text(), nullable=True, comment="URL"),
        sa.Column(
            "date_uploaded",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="YTS wall clock read as Europe/Paris",
        ),
        sa.Column(
            "date_uploaded_unix",
            sa.BigInteger(),
            nullable=True,
            comment="seconds, as sent; moved by hours when the server's zone did",
        ),
        sa.Column(
            "search_vector",
            postgresql.TSVECTOR(),
            sa.Computed(
                "setweight(to_tsvector('simple'::regconfig, left(title, 10000)), 'A') || "
                "setweight(to_tsvector('simple'::regconfig, "
                "left(coalesce(title_english, ''), 10000)), 'A') || "
                "setweight(to_tsvector('english'::regconfig, "
                "left(coalesce(description_full, summary, ''), 100000)), 'C')",
                persisted=True,
            ),
            nullable=True,
        ),
        sa.Column(
            "details_fetched_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="null: known from a list page only, without cast and likes",
        ),
        sa.Column(
            "created_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
        ),
        sa.Column(
            "updated_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="last real change; seeds, likes and hosts are none",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_movies")),
        sa.UniqueConstraint("external_id", name=op.f("uq_movies_external_id")),
        sa.UniqueConstraint("slug", name=op.f("uq_movies_slug")),
    )
    op.create_index(
        "idx_movies_search", "movies", ["search_vector"], unique=False, postgresql_using="gin"
    )
    op.create_index("ix_movies_created_at", "movies", ["created_at"], unique=False)
    op.create_index("ix_movies_imdb_code", "movies", ["imdb_code"], unique=False)
    op.create_index("ix_movies_rating", "movies", ["rating"], unique=False)
    op.create_index(
        "ix_movies_without_details",
        "movies",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("details_fetched_at IS NULL"),
    )
    op.create_index("ix_movies_year", "movies", ["year"], unique=False)
    op.create_table(
        "request_budget",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column(
            "last_slot_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("'-infinity'"),
            nullable=False,
        ),
        sa.Column(
            "pace", sa.Float(precision=53), nullable=False, comment="requests a second just now"
        ),
        sa.Column(
            "slowed_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="last time the server said: slower",
        ),
        sa.CheckConstraint("id = 1", name=op.f("ck_request_budget_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_request_budget")),
        prefixes=["UNLOGGED"],
    )
    op.create_table(
        "sync_state",
        sa.Column("id", sa.SmallInteger(), server_default="1", autoincrement=False, nullable=False),
        sa.Column("source", sa.Text(), nullable=True, comment="yts, or sandbox for practice data"),
        sa.Column(
            "watermark_movie_id",
            sa.Integer(),
            nullable=True,
            comment="highest YTS id at the end of the last complete sweep",
        ),
        sa.Column(
            "next_page",
            sa.Integer(),
            server_default="1",
            nullable=False,
            comment="of the sweep from the oldest; all pages before it are saved",
        ),
        sa.Column(
            "movie_count", sa.Integer(), nullable=True, comment="as YTS said last; an estimate"
        ),
        sa.Column("sweep_completed_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("id = 1", name=op.f("ck_sync_state_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_sync_state")),
    )
    op.create_table(
        "movie_casts",
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("cast_id", sa.Integer(), nullable=False),
        sa.Column("character_name", sa.Text(), nullable=True),
        sa.Column(
            "position",
            sa.SmallInteger(),
            nullable=False,
            comment="order of first appearance in YTS's samples, from 0; no billing",
        ),
        sa.ForeignKeyConstraint(
            ["cast_id"], ["casts.id"], name=op.f("fk_movie_casts_cast_id_casts"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("fk_movie_casts_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("movie_id", "cast_id", name=op.f("pk_movie_casts")),
    )
    op.create_index("ix_movie_casts_cast_id", "movie_casts", ["cast_id"], unique=False)
    op.create_table(
        "movie_embeddings",
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, comment="name of the model"),
        sa.Column("recipe", sa.Integer(), nullable=False, comment="version of the text recipe"),
        sa.Column("input_hash", sa.Text(), nullable=False, comment="of the text that was embedded"),
        sa.Column("vector", pgvector.sqlalchemy.HALFVEC(dim=256), nullable=False),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("fk_movie_embeddings_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("movie_id", "model", "recipe", name=op.f("pk_movie_embeddings")),
    )
    op.create_index(
        "idx_movie_embeddings_vector",
        "movie_embeddings",
        ["vector"],
        unique=False,
        postgresql_using="hnsw",
        postgresql_ops={"vector": "halfvec_ip_ops"},
    )
    op.create_table(
        "movie_genres",
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("genre_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["genre_id"],
            ["genres.id"],
            name=op.f("fk_movie_genres_genre_id_genres"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("fk_movie_genres_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("movie_id", "genre_id", name=op.f("pk_movie_genres")),
    )
    op.create_index("ix_movie_genres_genre_id", "movie_genres", ["genre_id"], unique=False)
    op.create_table(
        "torrents",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "hash",
            sa.Text(),
            nullable=False,
            comment="40 hex digits, upper case; not unique over movies",
        ),
        sa.Column("url", sa.Text(), nullable=True),
        sa.Column("quality", sa.Text(), nullable=True, comment="720p, 1080p, 2160p, 3D ..."),
        sa.Column("type", sa.Text(), nullable=True, comment="web, bluray ..."),
        sa.Column("is_repack", sa.Boolean(), nullable=True),
        sa.Column("video_codec", sa.Text(), nullable=True),
        sa.Column("bit_depth", sa.SmallInteger(), nullable=True, comment="bits"),
        sa.Column("audio_channels", sa.Text(), nullable=True, comment="2.0, 5.1 ..."),
        sa.Column(
            "seeds", sa.Integer(), nullable=True, comment="at the last change; YTS clamps at 100"
        ),
        sa.Column(
            "peers", sa.Integer(), nullable=True, comment="at the last change; YTS clamps at 100"
        ),
        sa.Column("size", sa.Text(), nullable=True, comment="as shown, for instance 1.69 GB"),
        sa.Column("size_bytes", sa.BigInteger(), nullable=True, comment="bytes"),
        sa.Column(
            "date_uploaded",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="YTS wall clock read as Europe/Paris",
        ),
        sa.Column("date_uploaded_unix", sa.BigInteger(), nullable=True, comment="seconds, as sent"),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("fk_torrents_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_torrents")),
        sa.UniqueConstraint("movie_id", "hash", name=op.f("uq_torrents_movie_id_hash")),
    )


def downgrade() -> None:
    op.drop_table("torrents")
    op.drop_table("movie_genres")
    op.drop_table("movie_embeddings")
    op.drop_table("movie_casts")
    op.drop_table("sync_state")
    op.drop_table("request_budget")
    op.drop_table("movies")
    op.drop_table("missing_movies")
    op.drop_table("genres")
    op.drop_table("fetch_runs")
    op.drop_table("fetch_failures")
    op.drop_table("casts")
