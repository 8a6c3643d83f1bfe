"""
the slug of each movie as YTS gives it, beside the unique one

Revision ID: 0010
Revises: 0009

An appended id is removed if another movie has the rest as its slug. If that guess is wrong, the
next update of the movie corrects it.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0010"
down_revision: str | None = "0009"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "movies",
        sa.Column(
            "yts_slug", sa.Text(), comment="slug as YTS gives it; several movies may share it"
        ),
    )
    op.execute("UPDATE movies SET yts_slug = slug WHERE slug IS NOT NULL")
    without_id = "left(slug, -1 - length(external_id::text))"
    without_ids = "regexp_replace(slug, '(-' || external_id || ')+$', '')"
    for own_slug in (without_id, without_ids):
        op.execute(
            f"UPDATE movies SET yts_slug = {own_slug} "  # noqa: S608 -- our own expressions
            f"WHERE slug LIKE '%-' || external_id AND {own_slug} IN (SELECT slug FROM movies)"
        )
    op.create_index(
        "ix_movies_renamed",
        "movies",
        ["yts_slug"],
        postgresql_where=sa.text("slug IS DISTINCT FROM yts_slug"),
    )


def downgrade() -> None:
    op.drop_index("ix_movies_renamed", "movies")
    op.drop_column("movies", "yts_slug")
