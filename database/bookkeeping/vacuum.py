"""`vacuum_overdue_tables`: vacuum tables at the end of a run, before autovacuum would."""

from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from time import monotonic

from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError

import database.bookkeeping.models  # noqa: F401 -- fills the metadata
from database.models import Base

#: Seconds for all tables together. The other tables follow at the end of the next run.
SECONDS = 60.0

#: Own tables that are past the thresholds of autovacuum, the largest first. The embedded server
#: often runs for a shorter time than autovacuum sleeps between two checks.
_OVERDUE = text("""
    WITH setting AS MATERIALIZED (
        SELECT replace(name, 'autovacuum_', '') AS name, setting::float FROM pg_settings
        WHERE name LIKE 'autovacuum\\_%\\_threshold' OR name LIKE 'autovacuum\\_%\\_scale\\_factor'
    ), threshold AS (
        SELECT c.oid, kind, number.setting + share.setting * greatest(c.reltuples, 0) AS rows
        FROM pg_class c
        CROSS JOIN unnest(ARRAY['vacuum', 'vacuum_insert', 'analyze']) AS kind
        JOIN setting number ON number.name = kind || '_threshold' AND number.setting >= 0
        JOIN setting share ON share.name = kind || '_scale_factor'
    ), passed AS (
        SELECT relid, array_agg(kind) AS kinds
        FROM pg_stat_user_tables JOIN threshold ON oid = relid
        WHERE CASE kind WHEN 'vacuum' THEN n_dead_tup
            WHEN 'vacuum_insert' THEN n_ins_since_vacuum ELSE n_mod_since_analyze END > rows
        GROUP BY relid
    )
    SELECT relid::regclass::text, kinds && ARRAY['vacuum', 'vacuum_insert'] FROM passed
    JOIN pg_class c ON c.oid = relid
    WHERE relname = ANY(:names) AND pg_table_is_visible(relid) AND pg_has_role(relowner, 'USAGE')
    ORDER BY pg_relation_size(relid) DESC
    """)


def vacuum_overdue_tables(
    engine: Engine, *, seconds: float = SECONDS, is_stopped: Callable[[], bool] = lambda: False
) -> list[str]:
    """
    Vacuum and analyze tables past the thresholds of autovacuum; return their names.

    It does not wait for locks. An error does no harm: autovacuum or the next run does the rest.
    """
    deadline = monotonic() + seconds

    def vacuum_some(take: Callable[[], tuple[str, bool]]) -> Iterator[str]:
        with suppress(DBAPIError), engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.detach()  # This connection is closed afterwards, because of its timeout.
            while (left := deadline - monotonic()) > 0 and not is_stopped():
                try:
                    name, is_vacuum = take()
                except IndexError:  # None is left.
                    break
                connection.execute(text(f"SET statement_timeout = {max(1, int(left * 1000))}"))
                command = "VACUUM (ANALYZE, SKIP_LOCKED)" if is_vacuum else "ANALYZE (SKIP_LOCKED)"
                connection.execute(text(f"{command} {name}"))
                yield name

    tables = deque(_read_overdue(engine))
    # The largest one takes as long as all others together. The time limit must not end both
    # connections at large ones, because the others would never have their turn.
    with ThreadPoolExecutor(2) as threads:
        parts = [threads.submit(list, vacuum_some(take)) for take in (tables.popleft, tables.pop)]
    return [name for part in parts for name in part.result()]


def _read_overdue(engine: Engine) -> list[tuple[str, bool]]:
    names = [table.name for table in Base.metadata.sorted_tables]
    with suppress(DBAPIError), engine.connect() as connection:
        rows = connection.execute(_OVERDUE, {"names": names})
        return [(name, is_vacuum) for name, is_vacuum in rows]
    return []
