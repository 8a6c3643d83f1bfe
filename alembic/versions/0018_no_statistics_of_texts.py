"""
no statistics of columns that no condition uses

Revision ID: 0018
Revises: 0017

To collect them, ANALYZE sorts long texts and URLs after each run that writes many rows: a quarter
of its time.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0018"
down_revision: str | None = "0017"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_COLUMNS = {
    "movies": (
        "title_long", "description_intro", "synopsis", "yt_trailer_code", "url",
        "background_image", "background_image_original", "small_cover_image",
        "medium_cover_image", "large_cover_image", "date_uploaded_unix",
    ),
    "casts": ("url_small_image",),
    "movie_casts": ("character_name", "position"),
    "torrents": (
        "hash", "url", "type", "is_repack", "bit_depth", "audio_channels", "seeds", "peers",
        "size", "size_bytes", "date_uploaded", "date_uploaded_unix",
    ),
}  # fmt: skip


def upgrade() -> None:
    _set_target(0)


def downgrade() -> None:
    _set_target(-1)  # The default of the server.


def _set_target(target: int) -> None:
    for table, columns in _COLUMNS.items():
        changes = ", ".join(f"ALTER COLUMN {column} SET STATISTICS {target}" for column in columns)
        op.execute(f"ALTER TABLE {table} {changes}")
