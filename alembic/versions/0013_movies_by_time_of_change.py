"""
index of movies by the time of their last change; new comments of both time columns

Revision ID: 0013
Revises: 0012
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0013"
down_revision: str | None = "0012"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

#: Column of `movies`: the comment before and after.
COMMENTS = {
    "created_at": (None, "when this mirror stored the movie first"),
    "updated_at": (
        "last change, except of seeds, peers, likes and hosts in URLs",
        "last change, gone_since included; not of seeds, peers, likes, cast, hosts in URLs",
    ),
}


def upgrade() -> None:
    op.create_index("ix_movies_updated_at", "movies", ["updated_at"])
    for column, (before, after) in COMMENTS.items():
        op.alter_column("movies", column, comment=after, existing_comment=before)


def downgrade() -> None:
    for column, (before, after) in COMMENTS.items():
        op.alter_column("movies", column, comment=before, existing_comment=after)
    op.drop_index("ix_movies_updated_at", "movies")
