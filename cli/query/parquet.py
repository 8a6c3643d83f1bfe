"""`write_parquet`: write rows to a stream as Parquet, in parts, with pyarrow."""

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import IO, Any

import pyarrow as pa
from pyarrow.parquet import ParquetWriter

#: Rows that are written together.
_ROWS_AT_ONCE = 1000


def write_parquet(
    rows: Iterator[dict[str, Any]], columns: Mapping[str, str], stream: IO[bytes]
) -> int:
    """Write *rows* with *columns*, each with its type; return the number of rows."""
    types = {"list": pa.list_(pa.string()), "time": pa.timestamp("us", tz="UTC")}
    schema = pa.schema(
        [(name, types.get(kind) or pa.type_for_alias(kind)) for name, kind in columns.items()]
    )
    count = 0
    with ParquetWriter(stream, schema) as writer:
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(part, schema))
            count += len(part)
    return count
