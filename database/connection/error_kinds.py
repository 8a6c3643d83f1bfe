"""`is_transient`, `is_rows_fault`: what to do after an error of the database."""

from sqlalchemy.exc import DatabaseError, DataError, DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from database.connection.explain import sqlstate
from database.errors import DatabaseAway

#: Errors that may be temporary, as SQLSTATEs or their beginnings: connection lost (08), deadlock
#: and serialization failure (40), unique violation (two writers took the same slug), idle for too
#: long (25P03, 57P05), no connection left, lock not available, cancelled, and the server going down
#: or coming up.
_TRANSIENT = (
    "08", "23505", "25P03", "25P04", "40", "53300", "55006", "55P03", "57014",
    "57P01", "57P02", "57P03", "57P05",
)  # fmt: skip

#: Errors that one row can cause: the same key twice (21), values (22), constraints (23, 44), too
#: large for an index (54), triggers that refuse it (P0). All other errors, including damage and
#: internal errors (XX), would affect any row.
_ROWS_FAULT = ("21", "22", "23", "44", "54", "P0")


def is_transient(error: BaseException) -> bool:
    """Return whether the same step may succeed if it is repeated."""
    if isinstance(error, DatabaseAway | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if not (state := sqlstate(error)):  # The server sent no error.
        is_bare = type(error) is DatabaseError  # as when a response is cut short
        return is_bare or isinstance(error, OperationalError | InterfaceError)
    return error.connection_invalidated or state.startswith(_TRANSIENT)


def is_rows_fault(error: DBAPIError) -> bool:
    """Return whether the values of a row cause the error."""
    if not (state := sqlstate(error)):  # The driver refuses a value.
        return isinstance(error, DataError)
    return state.startswith(_ROWS_FAULT)
