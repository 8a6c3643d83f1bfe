"""
complete runs, what workers do, how many movies have vectors; faster filters

Revision ID: 0008
Revises: 0007

An exit code cannot say that a run was complete: one with --ids ends with 0, too. Runs before this
revision count as complete if they ended in order and read a page of the list; more is not known.

Vectors are counted as in revision 0004; their triggers are made before anything is counted.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0008"
down_revision: str | None = "0007"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# A vector never moves to another space, so an update changes no count.
_EVENTS = {
    "insert": ("NEW TABLE AS changed", "count(*)"),
    "delete": ("OLD TABLE AS changed", "-count(*)"),
}

_COUNT = """
    CREATE FUNCTION count_movie_embeddings_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO catalogue_counts AS counted (name, shard, value)
        SELECT 'movie_embeddings.' || space_id, count_free_shard(), {change}
        FROM changed GROUP BY space_id
        ON CONFLICT (name, shard) DO UPDATE SET value = counted.value + excluded.value;
        RETURN NULL;
    END $$"""

# Users who change vectors need neither rights on the counts nor this schema in the search path.
_AS_OWNER = """
    DO $$ BEGIN
        EXECUTE 'ALTER FUNCTION count_movie_embeddings_{event}() '
            || 'SECURITY DEFINER SET search_path = '
            || quote_ident(current_schema()) || ', pg_temp';
    END $$"""

_TRIGGER = """
    CREATE TRIGGER count_{event} AFTER {event} ON movie_embeddings REFERENCING {transition}
    FOR EACH STATEMENT EXECUTE FUNCTION count_movie_embeddings_{event}()"""

_FILL = """
    INSERT INTO catalogue_counts (name, shard, value)
    SELECT 'movie_embeddings.' || space_id, 0, count(*) FROM movie_embeddings GROUP BY space_id"""


def upgrade() -> None:
    op.add_column(
        "fetch_runs",
        sa.Column(
            "is_complete",
            sa.Boolean(),
            server_default=sa.text("false"),
            nullable=False,
            comment="read the list to its end, and what was due is stored or on record",
        ),
    )
    op.execute(
        "UPDATE fetch_runs SET is_complete = true WHERE exit_code IN (0, 3) AND pages_read > 0"
    )
    op.create_table(
        "fetch_workers",
        sa.Column("name", sa.Text(), nullable=False, comment="as its connections call themselves"),
        sa.Column("doing", sa.Text(), nullable=False, comment="in words"),
        sa.Column(
            "since", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False
        ),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_fetch_workers")),
        prefixes=["UNLOGGED"],
    )
    for event, (transition, change) in _EVENTS.items():
        op.execute(_COUNT.format(event=event, change=change))
        op.execute(_AS_OWNER.format(event=event))
        op.execute(_TRIGGER.format(event=event, transition=transition))
    op.execute(
        "CREATE TRIGGER count_truncate AFTER TRUNCATE ON movie_embeddings "
        "FOR EACH STATEMENT EXECUTE FUNCTION count_truncate()"
    )
    op.execute(_FILL)
    op.drop_index("ix_movies_year", "movies")
    op.create_index(
        "ix_movies_year",
        "movies",
        ["year", "rating"],
        postgresql_include=["id", "runtime", "language", "gone_since"],
    )


def downgrade() -> None:
    op.drop_index("ix_movies_year", "movies")
    op.create_index("ix_movies_year", "movies", ["year"])
    op.execute("DROP TRIGGER count_truncate ON movie_embeddings")
    for event in _EVENTS:
        op.execute(f"DROP TRIGGER count_{event} ON movie_embeddings")
        op.execute(f"DROP FUNCTION count_movie_embeddings_{event}()")
    op.execute("DELETE FROM catalogue_counts WHERE name LIKE 'movie_embeddings.%'")
    op.drop_table("fetch_workers")
    op.drop_column("fetch_runs", "is_complete")
