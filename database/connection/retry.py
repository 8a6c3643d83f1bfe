"""`repeat_transient`: repeat a step while its errors are temporary; translate all other errors."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import (
    DatabaseError,
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
)
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from database.connection.explain import explain_trouble, first_line, sqlstate
from database.connection.waits import waiting_for
from database.errors import DatabaseAway, DatabaseNotReady, RowRefused

#: How long a step is repeated, in seconds: long enough for a restart of the server.
PATIENCE_SECONDS = 60.0
#: Longest pause between two attempts.
LONGEST_PAUSE_SECONDS = 2.0

#: A unique violation that lasts for this many attempts is not a race between two writers.
CONFLICT_ATTEMPTS = 5

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

Result = TypeVar("Result")
#: A function that works within one transaction and does not commit.
Work = Callable[[Session], Result]


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


def repeat_transient(
    step: Callable[[], Result],
    *,
    patience_seconds: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """
    Run *step*, and repeat it while its errors are transient; it must be repeatable.

    It is repeated for *patience_seconds*, by default `PATIENCE_SECONDS`; 0 is a single attempt.
    *sleep* waits between attempts; it may raise to give up.

    Raises:
        DatabaseAway: the error lasted longer.
        RowRefused: PostgreSQL refuses the values of a row of this step.
        DatabaseNotReady: any other error of the database.
    """
    is_late = stop_after_delay(PATIENCE_SECONDS if patience_seconds is None else patience_seconds)
    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        wait=wait_exponential(multiplier=0.05, max=LONGEST_PAUSE_SECONDS) + wait_random(0, 0.1),
        stop=lambda attempts: is_late(attempts) or _is_lasting_conflict(attempts),
        sleep=sleep,
        reraise=True,
    )
    try:
        with ExitStack() as waits:
            retrying.before_sleep = partial(_note_wait, waits)
            return retrying(step)
    except PoolTimeout as error:
        raise DatabaseAway("No connection to the database became free in time.") from error
    except DBAPIError as error:
        raise _explained(error) from error


def _note_wait(waits: ExitStack, attempts: RetryCallState) -> None:
    error = attempts.outcome.exception() if attempts.outcome else None
    if attempts.attempt_number == 1:
        reason = explain_trouble(error) if isinstance(error, DBAPIError) else str(error)
        waits.enter_context(waiting_for(f"the database: {reason.rstrip('.')}"))


def _explained(error: DBAPIError) -> DatabaseNotReady:
    if is_rows_fault(error):
        return RowRefused(type(error.orig).__name__, first_line(error))
    kind = DatabaseAway if is_transient(error) else DatabaseNotReady
    return kind(explain_trouble(error))


def _is_lasting_conflict(attempts: RetryCallState) -> bool:
    error = attempts.outcome.exception() if attempts.outcome else None
    return isinstance(error, IntegrityError) and attempts.attempt_number >= CONFLICT_ATTEMPTS
