"""Which database errors pass by themselves, and the patience to repeat a step until they do."""

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from tenacity import Retrying, retry_if_exception, stop_after_delay, wait_exponential_jitter

from database.errors import DatabaseNotReady

#: How long a step is repeated, in seconds: a restart of the server fits in.
PATIENCE_SECONDS = 60.0

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
    return error.connection_invalidated or state in _TRANSIENT_STATES or state is None


def repeat_transient(
    step: Callable[[], Result], *, patience_seconds: float = PATIENCE_SECONDS
) -> Result:
    """
    Run *step*, again and again while its errors are transient; it must be repeatable.

    Raises whatever *step* raised last, when it is not transient or patience ends.
    """
    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        wait=wait_exponential_jitter(initial=0.05, max=2.0, jitter=0.1),
        stop=stop_after_delay(patience_seconds),
        reraise=True,
    )
    return retrying(step)
