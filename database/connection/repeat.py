"""`repeat_after`: repeat a step that has failed, with tenacity, while its errors are temporary."""

from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from typing import TypeVar

from sqlalchemy.exc import DBAPIError, IntegrityError
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception,
    stop_after_delay,
    wait_exponential,
    wait_random,
)

from database.connection.error_kinds import is_transient
from database.connection.explain import explain_trouble
from database.connection.waits import waiting_for

#: Longest pause between two attempts.
LONGEST_PAUSE_SECONDS = 2.0

#: A unique violation that lasts for this many attempts is not a race between two writers.
CONFLICT_ATTEMPTS = 5

Result = TypeVar("Result")


def repeat_after(
    error: Exception,
    step: Callable[[], Result],
    patience_seconds: float,
    sleep: Callable[[float], None],
) -> Result:
    """
    Repeat *step*, whose first attempt has ended with the transient *error*.

    Raises the error of the last attempt, after *patience_seconds* or at once if it is not
    transient.
    """
    is_late, failed = stop_after_delay(patience_seconds), [error]

    def attempt() -> Result:
        if failed:
            raise failed.pop()
        return step()

    retrying = Retrying(
        retry=retry_if_exception(is_transient),
        wait=wait_exponential(multiplier=0.05, max=LONGEST_PAUSE_SECONDS) + wait_random(0, 0.1),
        stop=lambda attempts: is_late(attempts) or _is_lasting_conflict(attempts),
        sleep=sleep,
        reraise=True,
    )
    with ExitStack() as waits:
        retrying.before_sleep = partial(_note_wait, waits)
        return retrying(attempt)


def _note_wait(waits: ExitStack, attempts: RetryCallState) -> None:
    error = attempts.outcome.exception() if attempts.outcome else None
    if attempts.attempt_number == 1:
        reason = explain_trouble(error) if isinstance(error, DBAPIError) else str(error)
        waits.enter_context(waiting_for(f"the database: {reason.rstrip('.')}"))


def _is_lasting_conflict(attempts: RetryCallState) -> bool:
    error = attempts.outcome.exception() if attempts.outcome else None
    return isinstance(error, IntegrityError) and attempts.attempt_number >= CONFLICT_ATTEMPTS
