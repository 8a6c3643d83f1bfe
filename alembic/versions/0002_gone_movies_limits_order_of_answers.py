"""
movies that are gone, limits of requests, and times that order responses

Revision ID: 0002
Revises: 0001

Adds two columns to movies with constant defaults: no rewrite of the table.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "listed_movies",
        sa.Column("external_id", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("external_id", name=op.f("pk_listed_movies")),
    )
    op.alter_column(
        "fetch_runs",
        "phase",
        existing_type=sa.TEXT(),
        comment="starting, pages, details, ended or killed",
        existing_comment="starting, pages, details or ended",
        existing_nullable=False,
    )
    op.alter_column(
        "fetch_runs",
        "finished_at",
        existing_type=postgresql.TIMESTAMP(timezone=True),
        comment="null: running; of a killed run, its last sign of life",
        existing_comment="null: running or killed",
        existing_nullable=True,
    )
    op.add_column(
        "movies",
        sa.Column(
            "fetched_at",
            sa.DateTime(timezone=True),
            server_default=sa.text("now()"),
            nullable=False,
            comment="when the newest answer in this row was asked for",
        ),
    )
    op.add_column(
        "movies",
        sa.Column(
            "gone_since",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="YTS lists it no more and says that it has none; null: it is there",
        ),
    )
    op.create_index("ix_movies_details_fetched_at", "movies", ["details_fetched_at"], unique=False)
    op.create_index(
        "ix_movies_gone",
        "movies",
        ["external_id"],
        unique=False,
        postgresql_where=sa.text("gone_since IS NOT NULL"),
    )
    op.add_column(
        "request_budget",
        sa.Column(
            "requests_left",
            sa.Integer(),
            nullable=True,
            comment="requests that the running fetch may still make; null: no limit",
        ),
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "was_short",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="the last sweep saw fewer movies than YTS counted, so another one was due",
        ),
    )


def downgrade() -> None:
    op.drop_column("sync_state", "was_short")
    op.drop_column("request_budget", "requests_left")
    op.drop_index(
        "ix_movies_gone", table_name="movies", postgresql_where=sa.text("gone_since IS NOT NULL")
    )
    op.drop_index("ix_movies_details_fetched_at", table_name="movies")
    op.drop_column("movies", "gone_since")
    op.drop_column("movies", "fetched_at")
    op.alter_column(
        "fetch_runs",
        "finished_at",
        existing_type=postgresql.TIMESTAMP(timezone=True),
        comment="null: running or killed",
        existing_comment="null: running; of a killed run, its last sign of life",
        existing_nullable=True,
    )
    op.alter_column(
        "fetch_runs",
        "phase",
        existing_type=sa.TEXT(),
        comment="starting, pages, details or ended",
        existing_comment="starting, pages, details, ended or killed",
        existing_nullable=False,
    )
    op.drop_table("listed_movies")
