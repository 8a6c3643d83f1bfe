"""
one sweep that every run continues

Revision ID: 0003
Revises: 0002

A sweep that is under way continues; pages that failed in the old order are read again anyway.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0003"
down_revision: str | None = "0002"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.alter_column(
        "fetch_failures",
        "key",
        existing_type=sa.TEXT(),
        comment="number of the page, or YTS id",
        existing_comment="asc:17 for a page, else the YTS id",
        existing_nullable=False,
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "sweep_began_at",
            sa.DateTime(timezone=True),
            nullable=True,
            comment="of a sweep of the whole list that is not complete yet; null: none is",
        ),
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "recheck_page",
            sa.Integer(),
            nullable=True,
            comment="movies may have slipped past the sweep here: read again from here at its end",
        ),
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "is_recheck",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="that is going on now, and will be believed",
        ),
    )
    op.alter_column(
        "sync_state",
        "next_page",
        existing_type=sa.INTEGER(),
        comment="where the sweep goes on; all pages before it are full and saved",
        existing_comment="of the sweep from the oldest; all pages before it are saved",
        existing_nullable=False,
        existing_server_default=sa.text("1"),
    )
    op.drop_column("sync_state", "was_short")
    op.execute(
        "UPDATE sync_state SET sweep_began_at = now() "
        "WHERE next_page > 1 AND watermark_movie_id IS NULL"
    )
    op.execute("DELETE FROM fetch_failures WHERE kind = 'page' AND key LIKE 'desc:%'")
    op.execute("UPDATE fetch_failures SET key = substr(key, 5) WHERE kind = 'page'")


def downgrade() -> None:
    op.execute("UPDATE fetch_failures SET key = 'asc:' || key WHERE kind = 'page'")
    op.add_column(
        "sync_state",
        sa.Column(
            "was_short",
            sa.BOOLEAN(),
            server_default=sa.text("false"),
            autoincrement=False,
            nullable=False,
            comment="the last sweep saw fewer movies than YTS counted, so another one was due",
        ),
    )
    op.alter_column(
        "sync_state",
        "next_page",
        existing_type=sa.INTEGER(),
        comment="of the sweep from the oldest; all pages before it are saved",
        existing_comment="where the sweep goes on; all pages before it are full and saved",
        existing_nullable=False,
        existing_server_default=sa.text("1"),
    )
    op.drop_column("sync_state", "is_recheck")
    op.drop_column("sync_state", "recheck_page")
    op.drop_column("sync_state", "sweep_began_at")
    op.alter_column(
        "fetch_failures",
        "key",
        existing_type=sa.TEXT(),
        comment="asc:17 for a page, else the YTS id",
        existing_comment="number of the page, or YTS id",
        existing_nullable=False,
    )
