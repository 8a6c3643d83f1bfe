"""`repeat_transient`: repeat a step whose error may pass; otherwise blame a row or end the run."""

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

#: How long a step is repeated, in seconds: a restart of the server fits in.
PATIENCE_SECONDS = 60.0

#: A unique violation that outlives this many attempts is not a race between two writers.
CONFLICT_ATTEMPTS = 5

#: What may be different in a moment, as SQLSTATEs or their beginnings: connection lost (08),
#: deadlock and serialization failure (40), unique violation (two writers took the same slug),
#: idle for too long (25P03, 57P05), no connection left, lock not available, cancelled, and the
#: server going down or coming up.
_TRANSIENT = (
    "08", "23505", "25P03", "25P04", "40", "53300", "55006", "55P03", "57014",
    "57P01", "57P02", "57P03", "57P05",
)  # fmt: skip

#: What one row can be at fault for: the same key twice (21), values (22), constraints (23, 44),
#: too large for an index (54), triggers that refuse it (P0). Everything else would befall any
#: row, damage and internal errors (XX) included, and is blamed on none.
_ROWS_FAULT = ("21", "22", "23", "44", "54", "P0")

Result = TypeVar("Result")
#: A function that does its work within one transaction, and does not commit.
Work = Callable[[Session], Result]


def is_transient(error: BaseException) -> bool:
    """Return whether the same step may succeed in a moment."""
    if isinstance(error, DatabaseAway | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if not (state := sqlstate(error)):  # The server said nothing: it went away, or never was.
        is_bare = type(error) is DatabaseError  # as when a response is cut short
        return is_bare or isinstance(error, OperationalError | InterfaceError)
    return error.connection_invalidated or state.startswith(_TRANSIENT)


def is_rows_fault(error: DBAPIError) -> bool:
    """Return whether the same step may succeed with another row."""
    if not (state := sqlstate(error)):  # The driver itself refuses a value.
        return isinstance(error, DataError)
    return state.startswith(_ROWS_FAULT)


def repeat_transient(
    step: Callable[[], Result],
    *,
    patience_seconds: float | None = None,
    sleep: Callable[[float], None] = time.sleep,
) -> Result:
    """
    Run *step*, again and again while its errors are transient; it must be repeatable.

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
        wait=wait_exponential(multiplier=0.05, max=2.0) + wait_random(0, 0.1),
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
