"""
which base URL denied an id or was swept, how old the last whole sweep is, searches of the list

Revision ID: 0011
Revises: 0010
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0011"
down_revision: str | None = "0010"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.add_column(
        "missing_movies",
        sa.Column("origin", sa.Text(), comment="base URL that denied it, or sandbox"),
    )
    op.add_column(
        "listed_movies",
        sa.Column(
            "is_searched",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="not on a page, and a search of the list was made for its texts",
        ),
    )
    op.alter_column(
        "listed_movies",
        "reading",
        comment="which reading of the list saw it last; 0: one before the sweep of the whole list",
    )
    op.alter_column(
        "sync_state",
        "swept_url",
        comment="base URL of the last sweep of the whole list, or sandbox",
    )
    columns = (
        sa.Column(
            "sweep_origin",
            sa.Text(),
            comment="base URL of the sweep of the whole list that began last, or sandbox",
        ),
        sa.Column(
            "confirmed_origin",
            sa.Text(),
            comment="base URL, or sandbox, that the last two sweeps of the whole list have read",
        ),
        sa.Column(
            "whole_sweep_at",
            sa.DateTime(timezone=True),
            comment="end of the last sweep of the whole list",
        ),
        sa.Column(
            "surplus_rows",
            sa.Integer(),
            comment="rows of the list at the end of the last sweep, minus movies seen on its pages",
        ),
    )
    for column in columns:
        op.add_column("sync_state", column)
    # It is not known when an earlier version read the whole list, so it is read again soon.
    op.execute("UPDATE sync_state SET whole_sweep_at = sweep_completed_at")
    op.execute(
        "UPDATE sync_state SET swept_url = 'sandbox' "
        "WHERE source = 'sandbox' AND swept_url IS NOT NULL"
    )


def downgrade() -> None:
    for name in ("surplus_rows", "whole_sweep_at", "confirmed_origin", "sweep_origin"):
        op.drop_column("sync_state", name)
    op.alter_column(
        "sync_state", "swept_url", comment="base URL of the last sweep of the whole list"
    )
    op.alter_column("listed_movies", "reading", comment="which reading of the list saw it last")
    op.drop_column("listed_movies", "is_searched")
    op.drop_column("missing_movies", "origin")
