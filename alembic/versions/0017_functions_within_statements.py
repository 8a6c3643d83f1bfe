"""
functions that PostgreSQL writes into the statements and indexes that call them

Revision ID: 0017
Revises: 0016

A function of SQL is inlined if it is one expression and, unless it is strict itself, not declared
so. Otherwise each call starts an executor of its own. The values are the same: all these functions
give null for null.
"""

from collections.abc import Sequence

from alembic import op

revision: str = "0017"
down_revision: str | None = "0016"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

_FUNCTIONS = ("fold_accents(text)", "search_key(text)", "name_words(text)")

_DOCUMENT_VECTOR = """
    CREATE OR REPLACE FUNCTION document_vector(
        title text, title_english text, genres text[], description text, casts text[]
    ) RETURNS tsvector
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN """

# Longer texts would exceed the size limit of a tsvector.
_TITLES = """
    fold_accents(
        left(title, 10000) || left(coalesce(' ' || nullif(title_english, title), ''), 10000)
    )"""
_NAMES = "fold_accents(left(array_to_string(genres || casts, ' '), 10000))"
_VECTOR = """
    setweight(to_tsvector('simple', {titles}) || to_tsvector('english', {titles}), 'A')
    || setweight(
        to_tsvector('simple', {names}) || to_tsvector('english', array_to_string(genres, ' ')), 'B'
    )
    || setweight(to_tsvector('english', fold_accents(left(description, 100000))), 'C')"""
_OF_TEXTS = _VECTOR.format(titles=_TITLES, names=_NAMES)
_OF_FOLDED = f"""(
    SELECT {_VECTOR.format(titles="titles", names="names")}
    FROM (SELECT {_TITLES} AS titles, {_NAMES} AS names) AS folded)"""  # noqa: S608 -- our words


def upgrade() -> None:
    for function in _FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} CALLED ON NULL INPUT")
    op.execute(_DOCUMENT_VECTOR + _OF_TEXTS)


def downgrade() -> None:
    op.execute(_DOCUMENT_VECTOR + _OF_FOLDED)
    for function in _FUNCTIONS:
        op.execute(f"ALTER FUNCTION {function} STRICT")
