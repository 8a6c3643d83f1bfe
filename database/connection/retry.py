"""`repeat_transient`: repeat a step while its errors are temporary; translate all other errors."""

import time
from collections.abc import Callable
from typing import TypeVar

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session

from database.connection.error_kinds import is_rows_fault, is_transient
from database.connection.explain import explain_trouble, first_line
from database.errors import DatabaseAway, DatabaseNotReady, RowRefused

#: How long a step is repeated, in seconds: long enough for a restart of the server.
PATIENCE_SECONDS = 60.0

Result = TypeVar("Result")
#: A function that works within one transaction and does not commit.
Work = Callable[[Session], Result]


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
    patience = PATIENCE_SECONDS if patience_seconds is None else patience_seconds
    started = time.monotonic()
    try:
        try:
            return step()
        except (DatabaseAway, PoolTimeout, DBAPIError) as error:
            if not is_transient(error):
                raise
            # Importing tenacity takes longer than most transactions.
            from database.connection.repeat import repeat_after  # noqa: PLC0415

            return repeat_after(error, step, patience - (time.monotonic() - started), sleep)
    except PoolTimeout as error:
        raise DatabaseAway("No connection to the database became free in time.") from error
    except DBAPIError as error:
        raise _explained(error) from error


def _explained(error: DBAPIError) -> DatabaseNotReady:
    if is_rows_fault(error):
        return RowRefused(type(error.orig).__name__, first_line(error))
    kind = DatabaseAway if is_transient(error) else DatabaseNotReady
    return kind(explain_trouble(error))
