"""
indexes for the filters of lists that had none: language, runtime, quality, several genres

Revision ID: 0016
Revises: 0015
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0016"
down_revision: str | None = "0015"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_LINKS = "ix_movie_genres_genre_id"


def upgrade() -> None:
    op.create_index("ix_movies_language", "movies", ["language"])
    op.create_index("ix_movies_runtime", "movies", ["runtime"])
    op.create_index("ix_torrents_quality", "torrents", [sa.text("lower(quality)")])
    # With the movie, the links of a genre are read in the order of movies, without their rows.
    _replace_links(["genre_id", "movie_id"])


def downgrade() -> None:
    _replace_links(["genre_id"])
    op.drop_index("ix_torrents_quality", "torrents")
    op.drop_index("ix_movies_runtime", "movies")
    op.drop_index("ix_movies_language", "movies")


def _replace_links(columns: list[str]) -> None:
    op.drop_index(_LINKS, "movie_genres")
    op.create_index(_LINKS, "movie_genres", columns)
