"""`NoSuchMovie`, `UnclearTaste`, `ParquetMissing`: errors of queries that a user can correct."""


class NoSuchMovie(Exception):
    """No movie, or more than one, has the given name; the message lists candidates."""


class UnclearTaste(Exception):
    """A movie is both liked and not liked."""


class ParquetMissing(Exception):
    """Parquet was requested, and pyarrow is not installed."""
