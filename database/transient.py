"""Which database errors pass by themselves, and the patience to repeat a step until they do."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from database.errors import DatabaseNotReady

#: How long a step is repeated, in seconds: a restart of the server fits in.
PATIENCE_SECONDS = 60.0

#: A unique violation that outlives this many attempts is no race between two writers.
CONFLICT_ATTEMPTS = 5

#: Deadlock, serialization failure, lock not available, unique violation (two writers took
#: the same slug), the server going down or coming up, no connection left, connection lost.
_TRANSIENT_STATES = frozenset(
    {"40P01", "40001", "55P03", "23505", "57P01", "57P02", "57P03", "53300"}
)

Result = TypeVar("Result")


def is_transient(error: BaseException) -> bool:
    """Tell whether the same step may well succeed in a moment."""
    if isinstance(error, DatabaseNotReady | PoolTimeout):
        return True
    if not isinstance(error, DBAPIError):
        return False
    state = getattr(error.orig, "pgcode", None)
    if state is None:  # The server said nothing: it went away, or never was.
        return isinstance(error, OperationalError | InterfaceError)
    return error.connection_invalidated or state in _TRANSIENT_STATES


def first_line(error: DBAPIError) -> str:
    """Return the gist of what PostgreSQL said; the rest may repeat whole rows."""
    return (str(error.orig).strip().splitlines() or [type(error.orig).__name__])[0]


def repeat_transient(
    step: Callable[[], Result], *, patience_seconds: float = PATIENCE_SECONDS
) -> Result:
    """
    Run *step*, again and again while its errors are transient; it must be repeatable.

    Raises whatever *step* raised last, when it is not transient or patience ends.
    """
    is_late = stop_after_delay(patience_seconds)
    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        wait=wait_exponential(multiplier=0.05, max=2.0) + wait_random(0, 0.1),
        stop=lambda attempts: is_late(attempts) or _is_lasting_conflict(attempts),
        reraise=True,
    )
    return retrying(step)


def _is_lasting_conflict(attempts: RetryCallState) -> bool:
    error = attempts.outcome.exception() if attempts.outcome else None
    return isinstance(error, IntegrityError) and attempts.attempt_number >= CONFLICT_ATTEMPTS
