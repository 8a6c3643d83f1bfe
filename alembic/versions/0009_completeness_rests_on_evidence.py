"""
where a sweep saw each movie, how often YTS denied an id, and what a run still owes

Revision ID: 0009
Revises: 0008

A single denial is no longer believed: ids that were recorded as missing after one request are due
again at once.

Query and fragment of links are removed, because they were a token of the response.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0009"
down_revision: str | None = "0008"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


_LINKS = {
    "movies": [
        "url",
        "background_image",
        "background_image_original",
        "small_cover_image",
        "medium_cover_image",
        "large_cover_image",
    ],
    "torrents": ["url"],
    "casts": ["url_small_image"],
}


def upgrade() -> None:
    for table, columns in _LINKS.items():
        cut = ", ".join(f"{name} = regexp_replace({name}, '[?#].*', '')" for name in columns)
        has_token = " OR ".join(f"{name} ~ '[?#]'" for name in columns)
        op.execute(f"UPDATE {table} SET {cut} WHERE {has_token}")  # noqa: S608 -- our own names
    op.add_column(
        "listed_movies",
        sa.Column(
            "page",
            sa.Integer(),
            comment="where, 0: not noted; null: only its details showed it",
        ),
    )
    op.add_column(
        "listed_movies",
        sa.Column(
            "reading",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="which reading of the list saw it last",
        ),
    )
    op.add_column(
        "listed_movies",
        sa.Column(
            "moved_from", sa.Integer(), comment="another page where the same reading saw it before"
        ),
    )
    op.add_column(
        "missing_movies",
        sa.Column(
            "denials",
            sa.SmallInteger(),
            server_default="1",
            nullable=False,
            comment="separate requests that YTS answered so; one alone is not believed",
        ),
    )
    op.execute("UPDATE missing_movies SET ask_again_at = now()")
    # Seen on a page whose number was not recorded then.
    op.execute("UPDATE listed_movies SET page = 0")
    op.drop_column("sync_state", "is_recheck")
    op.alter_column(
        "sync_state",
        "recheck_page",
        comment="owed: rows moved while the list was read, so read it again from here",
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "reading",
            sa.Integer(),
            server_default="0",
            nullable=False,
            comment="number of the last reading of the list",
        ),
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "is_updating",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="owed: the sweep under way writes what changed, until its end",
        ),
    )
    op.add_column(
        "sync_state",
        sa.Column(
            "is_gone_check_due",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="owed: ask for stored movies that the last sweep of the whole list did not see",
        ),
    )
    op.add_column(
        "sync_state",
        sa.Column("swept_url", sa.Text(), comment="base URL of the last sweep of the whole list"),
    )


def downgrade() -> None:
    for name in ("swept_url", "is_gone_check_due", "is_updating", "reading"):
        op.drop_column("sync_state", name)
    op.alter_column(
        "sync_state",
        "recheck_page",
        comment="movies may have slipped past the sweep here: read again from here at its end",
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
    op.drop_column("missing_movies", "denials")
    for name in ("moved_from", "reading", "page"):
        op.drop_column("listed_movies", name)
