"""`PlanAge`, `is_invalid`: when prepared statements have to be made again; no I/O."""

from collections.abc import Callable, Sequence
from time import monotonic
from typing import Final

import psycopg2

#: The sizes of the tables of the catalogue, in bytes: a list brings movies, their details people.
SIZES: Final = """
    SELECT array_agg(coalesce(pg_relation_size(to_regclass(name)), 0) ORDER BY name)
    FROM unnest(ARRAY['casts', 'movie_casts', 'movie_genres', 'movies', 'torrents']) name
"""
DISCARD: Final = "DISCARD PLANS"
#: SQLSTATE of a prepared statement that the server does not have.
_UNKNOWN_STATEMENT: Final = "26000"
#: Where PostgreSQL refuses a prepared statement whose result has another type by now. The SQLSTATE
#: 0A000 is that of many other errors.
_CHECK_OF_PLANS: Final = "RevalidateCachedQuery"
#: How often the sizes are read, in seconds.
CHECK_SECONDS: Final = 1.0
#: Plans are made again when a table has grown to more than this multiple.
_GROWTH = 2


class PlanAge:
    """
    The sizes of the tables for which a connection has made its plans.

    PostgreSQL keeps the plan of a prepared statement until one of its tables is analyzed. A plan
    for an empty table reads the whole table, and a fetch fills it within seconds.
    """

    def __init__(self, clock: Callable[[], float] = monotonic) -> None:
        """Measure times by *clock*, in seconds."""
        self._clock = clock
        self._checked_at = float("-inf")
        self._planned_for: Sequence[int] = ()

    def must_check(self) -> bool:
        """Return whether `SIZES` should be read now."""
        return self._clock() - self._checked_at >= CHECK_SECONDS

    def is_outgrown(self, sizes: Sequence[int]) -> bool:
        """Note the *sizes*; return whether plans must be discarded, which the caller does."""
        self._checked_at = self._clock()
        planned_for = self._planned_for or [0] * len(sizes)
        grown = [now > _GROWTH * then for now, then in zip(sizes, planned_for, strict=True)]
        if any(grown):
            self._planned_for = sizes
        return any(grown)


def is_invalid(error: psycopg2.Error) -> bool:
    """
    Return whether *error* means that a prepared statement cannot be used any more.

    A migration that changes the type of a column does this. The connection must be closed.
    """
    return error.pgcode == _UNKNOWN_STATEMENT or error.diag.source_function == _CHECK_OF_PLANS
