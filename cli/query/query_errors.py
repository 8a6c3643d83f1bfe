"""`QUERY_ERRORS`: the errors of queries that a user can correct, and three of them."""

from database.search.filters import UnknownFilterValue
from database.search.query import NothingToSearch
from database.search.similar.ranking import NoVector
from ingest.exit_codes import ExitCode
from ingest.run_errors import KnownError


class NoSuchMovie(Exception):
    """No movie, or more than one, has the given name; the message lists candidates."""


class UnclearTaste(Exception):
    """A movie is both liked and not liked."""


class ParquetMissing(Exception):
    """Parquet was requested, and pyarrow is not installed."""


QUERY_ERRORS = tuple(
    KnownError(kind, ExitCode.USAGE)
    for kind in (
        NoSuchMovie,
        UnclearTaste,
        NoVector,
        NothingToSearch,
        UnknownFilterValue,
        ParquetMissing,
    )
)
