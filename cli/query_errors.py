"""`NoSuchMovie`, `ParquetMissing`: errors of queries that a user can correct."""


class NoSuchMovie(Exception):
    """No movie, or more than one, has the given name; the message lists candidates."""


class ParquetMissing(Exception):
    """Parquet was requested, and pyarrow is not installed."""
