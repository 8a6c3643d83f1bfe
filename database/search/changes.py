"""
`read_next_since`: the time to use for the next request of a program that follows the mirror.

`created_at` and `updated_at` are the time at which a transaction began; other programs see its rows
only after the commit. A program that asks for rows since its last request would miss the rows of a
transaction that began before that request and was committed after it.
"""

from datetime import datetime, timedelta

from sqlalchemy import text
from sqlalchemy.orm import Session

#: Longer than any transaction of a fetch, unless another program locks its rows.
OVERLAP = timedelta(hours=1)
#: Time between the recorded beginning of a transaction and the moment other sessions see it.
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
    Return a time T: rows that are committed from now on have times of T or later.

    Read it before the rows, in a statement of its own; then ask for `added_since=T` or
    `updated_since=T` next time. Rows that come twice have the same ids. It is as old as the
    oldest transaction in the database; where those of others cannot be seen, as with a role of
    its own or on a standby server, it is an hour ago.
    """
    now, began, is_blind = session.execute(_BEGAN).one()
    earliest: datetime = min(now, began or now)
    return min(earliest - _SLACK, now - OVERLAP) if is_blind else earliest - _SLACK
