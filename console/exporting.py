"""Movies as a file: a line or a row for each, streamed, whatever their number."""

import csv
import json
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Any, Literal

from console.files import written_anew
from console.movies import POSTERS
from database.models import Movie

Format = Literal["csv", "jsonl", "parquet"]
#: Rows that are written together.
_ROWS_AT_ONCE = 1000
#: Column: its type in Parquet.
_COLUMNS = {
    "id": "int64",
    "imdb_code": "string",
    "title": "string",
    "year": "int16",
    "rating": "float64",
    "runtime": "int16",
    "language": "string",
    "mpa_rating": "string",
    "like_count": "int32",
    "genres": "list",
    "cast": "list",
    "qualities": "list",
    "description": "string",
    "date_uploaded": "string",
    "url": "string",
}

Row = dict[str, Any]


class ParquetMissing(Exception):
    """Parquet is asked for, and the library for it is not installed."""


def export(
    movies: Iterable[Movie], kind: Format, output: Path | None, *, with_posters: bool
) -> int:
    """
    Write *movies* to *output*, or to stdout; return how many they were.

    A file is there under its name when it is complete, and not before.

    Raises:
        ParquetMissing: pyarrow is needed, and not installed.
    """
    columns = {**_COLUMNS, **(dict.fromkeys(POSTERS, "string") if with_posters else {})}
    rows = (_row(movie, columns) for movie in movies)
    with _opened(output) as stream:
        return {"csv": _write_csv, "jsonl": _write_jsonl, "parquet": _write_parquet}[kind](
            rows, columns, stream
        )


def _row(movie: Movie, columns: Iterable[str]) -> Row:
    told = {
        "id": movie.external_id,
        "genres": [genre.name for genre in movie.genres],
        "cast": [link.cast.name for link in movie.cast_links],
        "qualities": sorted({it.quality for it in movie.torrents if it.quality}),
        "description": movie.description_full or movie.summary,
    }
    return {name: _plain(told[name] if name in told else getattr(movie, name)) for name in columns}


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[bytes]]:
    if output is None:
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    with written_anew(output) as file:
        yield file


def _write_csv(rows: Iterator[Row], columns: dict[str, str], stream: IO[bytes]) -> int:
    text = _Encoded(stream)
    writer = csv.DictWriter(text, list(columns), lineterminator="\n")
    writer.writeheader()
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 -- counted as they go
        # Names may have a comma in them; none has a line of its own.
        flat = {name: "; ".join(it) if isinstance(it, list) else it for name, it in row.items()}
        writer.writerow(flat)
    return count


class _Encoded:
    """Writes text into a stream of bytes, which stays open."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text.encode("utf-8"))


def _write_jsonl(rows: Iterator[Row], _columns: dict[str, str], stream: IO[bytes]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        stream.write(json.dumps(row, ensure_ascii=False).encode("utf-8") + b"\n")
    return count


def _write_parquet(rows: Iterator[Row], columns: dict[str, str], stream: IO[bytes]) -> int:
    try:
        import pyarrow as pa  # noqa: PLC0415 -- only for this format
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415
    except ImportError as error:
        raise ParquetMissing(
            "Parquet needs one library more: pip install pyarrow. CSV and JSON lines need none."
        ) from error
    types = {"list": pa.list_(pa.string())}
    schema = pa.schema(
        [(name, types.get(kind) or pa.type_for_alias(kind)) for name, kind in columns.items()]
    )
    count = 0
    with ParquetWriter(stream, schema) as writer:
        while part := list(islice(rows, _ROWS_AT_ONCE)):
            writer.write_table(pa.Table.from_pylist(part, schema))
            count += len(part)
    return count
