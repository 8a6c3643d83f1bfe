"""`PlanAge`: when a connection has to plan its prepared statements again; no I/O."""

from collections.abc import Callable
from time import monotonic
from typing import Final

#: The size of the table of movies, in bytes; other tables grow with it.
SIZE: Final = "SELECT coalesce(pg_relation_size(to_regclass('movies')), 0)"
DISCARD: Final = "DISCARD PLANS"
#: How often the size is read, in seconds.
CHECK_SECONDS: Final = 1.0
#: Plans are made again when the table has grown to this multiple.
_GROWTH = 2


class PlanAge:
    """
    The size of the table of movies for which a connection has made its plans.

    PostgreSQL keeps the plan of a prepared statement until somebody analyzes a table. A plan for
    an empty table reads the whole table, and a fetch fills it within seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Measure times by *clock*, in seconds."""
        self._clock = clock
        self._checked_at = float("-inf")
        self._planned_for = 0

    def must_check(self) -> bool:
        """Return whether `SIZE` should be read now."""
        return self._clock() - self._checked_at >= CHECK_SECONDS

    def is_outgrown(self, size: int) -> bool:
        """Note the *size*; return whether plans must be discarded, which the caller does."""
        self._checked_at = self._clock()
        is_outgrown = size > _GROWTH * self._planned_for
        if is_outgrown:
            self._planned_for = size
        return is_outgrown
