"""
store search vectors in the row of the movie, and move other texts out of it

Revision ID: 0005
Revises: 0004

PostgreSQL stores the largest value of a row of more than 2 KB outside of the row. That was the
search vector, which made ranking three times as slow; now it is a plot. Existing rows stay as they
are until they are written again.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None


def upgrade() -> None:
    op.execute("ALTER TABLE movies ALTER COLUMN search_vector SET STORAGE MAIN")


def downgrade() -> None:
    op.execute("ALTER TABLE movies ALTER COLUMN search_vector SET STORAGE EXTENDED")
