"""
`catalogue_counts`: numbers of rows, kept up to date by triggers

Revision ID: 0004
Revises: 0003

Triggers keep `catalogue_counts`, once for each statement that changes rows. The triggers are
created before the rows are counted, so writers wait until the counts are complete: two seconds with
a million movies.
"""

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: str | Sequence[str] | None = None
depends_on: str | Sequence[str] | None = None

# For each table: changes of its counts by added rows (sign 1) and removed rows (sign -1).
_CHANGES = {
    "movies": """
        SELECT named.name, named.change
        FROM (
            SELECT sum(sign) AS movies,
                sum(sign) FILTER (WHERE details_fetched_at IS NOT NULL) AS detailed,
                sum(sign) FILTER (WHERE gone_since IS NOT NULL) AS gone,
                sum(sign) FILTER (WHERE rating IS NOT NULL) AS rated,
                sum(sign * rating) AS ratings
            FROM ({rows}) AS changed
        ) AS sums, LATERAL (VALUES
            ('movies', movies),
            ('movies.details_fetched_at', detailed),
            ('movies.gone_since', gone),
            ('movies.rating', rated),
            ('movies.sum(rating)', ratings)
        ) AS named (name, change)""",
    "movie_genres": """
        SELECT 'movie_genres.' || genre_id AS name, sum(sign) AS change
        FROM ({rows}) AS changed GROUP BY genre_id""",
    "casts": "SELECT 'casts' AS name, sum(sign) AS change FROM ({rows}) AS changed",
    "torrents": "SELECT 'torrents' AS name, sum(sign) AS change FROM ({rows}) AS changed",
}
_STORED = "SELECT 1 AS sign, * FROM {table}"
_CAME = "SELECT 1 AS sign, * FROM new_rows"
_WENT = "SELECT -1 AS sign, * FROM old_rows"
# For each event: names of the rows before and after it, and all these rows with their signs.
_EVENTS = {
    "insert": ("NEW TABLE AS new_rows", _CAME),
    "update": (
        "OLD TABLE AS old_rows NEW TABLE AS new_rows",
        f"{_CAME} UNION ALL {_WENT}",
    ),
    "delete": ("OLD TABLE AS old_rows", _WENT),
}
# Tables whose counts an update can change.
_WITH_UPDATES = ("movies", "movie_genres")

# Choose a shard that no other transaction uses until this one ends, so no transaction waits. The
# first choice depends on the process, so conflicts are rare under stricter isolation levels too.
_FREE_SHARD = """
    CREATE FUNCTION count_free_shard() RETURNS integer LANGUAGE plpgsql AS $$
    DECLARE
        shard integer := mod(pg_backend_pid(), 16);
    BEGIN
        WHILE NOT pg_try_advisory_xact_lock(7190003, shard) LOOP
            shard := shard + 1;
        END LOOP;
        RETURN shard;
    END $$"""

_COUNT = """
    CREATE FUNCTION count_{table}_{event}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        INSERT INTO catalogue_counts AS counted (name, shard, value)
        SELECT name, count_free_shard(), change FROM ({changes}) AS changes WHERE change <> 0
        ON CONFLICT (name, shard) DO UPDATE SET value = counted.value + excluded.value;
        RETURN NULL;
    END $$"""

# TRUNCATE locks the table exclusively, so no shard is needed.
_FORGET = """
    CREATE FUNCTION count_truncate() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN
        DELETE FROM catalogue_counts WHERE split_part(name, '.', 1) = TG_TABLE_NAME;
        RETURN NULL;
    END $$"""

# Users who change movies need neither rights on the counts nor this schema in the search path.
_AS_OWNER = """
    DO $$ BEGIN
        EXECUTE 'ALTER FUNCTION {function}() SECURITY DEFINER SET search_path = '
            || quote_ident(current_schema()) || ', pg_temp';
    END $$"""

_FILL = """
    INSERT INTO catalogue_counts (name, shard, value)
    SELECT name, 0, change FROM ({changes}) AS changes WHERE change <> 0"""


def upgrade() -> None:
    op.create_table(
        "catalogue_counts",
        sa.Column(
            "name",
            sa.Text(),
            nullable=False,
            comment="of a table; table.column: its values; movie_genres.7: movies of that genre",
        ),
        sa.Column("shard", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("value", sa.Numeric(), nullable=False),
        sa.PrimaryKeyConstraint("name", "shard", name=op.f("pk_catalogue_counts")),
        # Space for new versions of a row on the same page, so that indexes need no update.
        postgresql_with={"fillfactor": 50},
    )
    op.execute(_FREE_SHARD)
    op.execute(_FORGET)
    op.execute(_AS_OWNER.format(function="count_truncate"))
    for table in _CHANGES:
        _add_triggers(table)
    for table, changes in _CHANGES.items():
        rows = _STORED.format(table=table)
        op.execute(_FILL.format(changes=changes.format(rows=rows)))


def _events_of(table: str) -> list[str]:
    return [event for event in _EVENTS if event != "update" or table in _WITH_UPDATES]


def _add_triggers(table: str) -> None:
    for event in _events_of(table):
        transition, rows = _EVENTS[event]
        function = f"count_{table}_{event}"
        changes = _CHANGES[table].format(rows=rows)
        op.execute(_COUNT.format(table=table, event=event, changes=changes))
        op.execute(_AS_OWNER.format(function=function))
        op.execute(
            f"CREATE TRIGGER count_{event} AFTER {event} ON {table} REFERENCING {transition} "
            f"FOR EACH STATEMENT EXECUTE FUNCTION {function}()"
        )
    op.execute(
        f"CREATE TRIGGER count_truncate AFTER TRUNCATE ON {table} "
        "FOR EACH STATEMENT EXECUTE FUNCTION count_truncate()"
    )


def downgrade() -> None:
    for table in _CHANGES:
        op.execute(f"DROP TRIGGER count_truncate ON {table}")
        for event in _events_of(table):
            op.execute(f"DROP TRIGGER count_{event} ON {table}")
            op.execute(f"DROP FUNCTION count_{table}_{event}()")
    op.execute("DROP FUNCTION count_truncate()")
    op.execute("DROP FUNCTION count_free_shard()")
    op.drop_table("catalogue_counts")
