"""
${message}

Revision ID: ${up_revision}
Revises: ${down_revision | comma,n}

House rules for a revision:
- number it on (0007), and set HEAD_REVISION in database/schema.py to it;
- `downgrade` undoes `upgrade` completely; both are tried by the tests;
- no imports from our own packages: a revision must mean the same for ever;
- a change that locks a large table for long (a rewrite, an index without CONCURRENTLY)
  says so here, with what it cost on a million movies;
- data is moved by one SQL statement, never row by row.
"""

from collections.abc import Sequence

import pgvector.sqlalchemy
import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision: str = ${repr(up_revision)}
down_revision: str | None = ${repr(down_revision)}
branch_labels: str | Sequence[str] | None = ${repr(branch_labels)}
depends_on: str | Sequence[str] | None = ${repr(depends_on)}


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
