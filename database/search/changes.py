"""
`read_next_since`: the time from which a program that follows the mirror asks next.

`created_at` and `updated_at` are the time at which a transaction began; others see its rows when
it is committed, which is later. A program that asks for rows since its last request would never
see those of a transaction that began before it and was committed after it.
"""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Longer than a transaction of a fetch lasts, unless another program locks its rows.
OVERLAP = timedelta(hours=1)
#: Between the time that a transaction has as its beginning, and the moment others see it.
_SLACK = timedelta(seconds=1)

_BEGAN = text("""
    SELECT clock_timestamp(), min(xact_start),
        pg_is_in_recovery() OR coalesce(bool_or(coalesce(state, 'disabled') = 'disabled'), false)
    FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND coalesce(backend_type, 'client backend') = 'client backend'
    """)


def read_next_since(session: Session) -> datetime:
    """
    Return a time T: rows that are committed from now on are new or changed at T or later.

    Read it before the rows, in a statement of its own; then ask for `added_since=T` or
    `updated_since=T` next time. Rows that come twice have the same ids. It is as old as the
    oldest transaction in the database; where those of others cannot be seen, as with a role of
    its own or on a standby server, it is an hour ago.
    """
    now, began, is_blind = session.execute(_BEGAN).one()
    earliest: datetime = min(now, began or now)
    return min(earliest - _SLACK, now - OVERLAP) if is_blind else earliest - _SLACK
