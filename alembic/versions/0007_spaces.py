"""
spaces of vectors, and the words of all documents

Revision ID: 0007
Revises: 0006

A space is one model with one recipe. The previous vectors were never filled by this program and are
dropped. Indexes are created for each space when it is full, not here.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from pgvector.sqlalchemy import HALFVEC
from sqlalchemy.dialects.postgresql import ARRAY

revision: str = "0007"
down_revision: str | None = "0006"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# The word, and the word without each one of its letters: two words that differ by one typing error
# share one of these keys.
_WORD_KEYS = """
    CREATE FUNCTION word_keys(word text) RETURNS text[]
    LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE
    RETURN ARRAY(
        SELECT word UNION
        SELECT left(word, removed - 1) || substr(word, removed + 1)
        FROM generate_series(1, length(word)) AS removed
    )"""


_KEYS = "CASE WHEN is_name AND length(word) BETWEEN 4 AND 30 THEN word_keys(word) END"


def upgrade() -> None:
    op.execute(_WORD_KEYS)
    op.create_table(
        "search_words",
        sa.Column("word", sa.Text(), nullable=False),
        sa.Column(
            "movies",
            sa.Integer(),
            nullable=False,
            comment="in whose documents it is; of the empty word: all, when they were counted",
        ),
        sa.Column(
            "keys",
            ARRAY(sa.Text()),
            sa.Computed(_KEYS, persisted=True),
            comment="by which it is found in spite of a typing error; null: it is not",
        ),
        sa.Column("is_name", sa.Boolean(), nullable=False, comment="in a title, a genre or a name"),
        sa.PrimaryKeyConstraint("word", name=op.f("pk_search_words")),
    )
    op.create_index("ix_search_words_keys", "search_words", ["keys"], postgresql_using="gin")
    op.create_table(
        "embedding_spaces",
        sa.Column("id", sa.Integer(), sa.Identity(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, comment="name of the model"),
        sa.Column(
            "model_folder",
            sa.Text(),
            comment="where its files lie; null: in the wheel",
        ),
        sa.Column("model_hash", sa.Text(), nullable=False, comment="SHA-256 of the model's files"),
        sa.Column("recipe", sa.Integer(), nullable=False, comment="version of the recipe"),
        sa.Column("recommend_dimensions", sa.SmallInteger(), nullable=False),
        sa.Column("search_dimensions", sa.SmallInteger(), nullable=False),
        sa.Column(
            "is_active", sa.Boolean(), nullable=False, comment="the one that is asked; at most one"
        ),
        sa.Column(
            "created_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_embedding_spaces")),
        sa.UniqueConstraint(
            "model_hash", "recipe", name=op.f("uq_embedding_spaces_model_hash_recipe")
        ),
    )
    op.create_index(
        "uq_embedding_spaces_active",
        "embedding_spaces",
        ["is_active"],
        unique=True,
        postgresql_where=sa.text("is_active"),
    )
    op.drop_table("movie_embeddings")
    op.create_table(
        "movie_embeddings",
        sa.Column("space_id", sa.Integer(), nullable=False),
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column(
            "document_hash", sa.Text(), nullable=False, comment="of the movie when it was embedded"
        ),
        sa.Column("recommend", HALFVEC(), comment="null: nothing is known to compare"),
        sa.Column("search", HALFVEC(), comment="null: nothing is known to search"),
        sa.ForeignKeyConstraint(
            ["movie_id"],
            ["movies.id"],
            name=op.f("fk_movie_embeddings_movie_id_movies"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["space_id"],
            ["embedding_spaces.id"],
            name=op.f("fk_movie_embeddings_space_id_embedding_spaces"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("space_id", "movie_id", name=op.f("pk_movie_embeddings")),
    )
    op.create_index("ix_movie_embeddings_movie_id", "movie_embeddings", ["movie_id"])


def downgrade() -> None:
    op.drop_table("movie_embeddings")
    op.drop_table("embedding_spaces")
    op.drop_table("search_words")
    op.execute("DROP FUNCTION word_keys(text)")
    op.create_table(
        "movie_embeddings",
        sa.Column("movie_id", sa.BigInteger(), nullable=False),
        sa.Column("model", sa.Text(), nullable=False, comment="name of the model"),
        sa.Column("recipe", sa.Integer(), nullable=False, comment="version of the text recipe"),
        sa.Column("input_hash", sa.Text(), nullable=False, comment="of the text that was embedded"),
        sa.Column("vector", HALFVEC(dim=256), nullable=False),
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
        postgresql_using="hnsw",
        postgresql_ops={"vector": "halfvec_ip_ops"},
    )
