"""`write_rows`: write rows as CSV, JSON Lines or Parquet to a file or stdout, as a stream."""

import csv
import re
from collections.abc import Callable, Iterable, Iterator
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import IO, Any, Literal

from cli.output import STDOUT, open_output
from cli.query.export_tables import Row, Types
from cli.query.query_errors import ParquetMissing
from yts.printable import json_line, printable

Format = Literal["csv", "jsonl", "parquet"]
#: Endings of file names, and the formats that they mean.
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}


def choose_format(kind: Format | None, output: Path | None) -> Format:
    """
    Return the requested format, or the format that the name of *output* means; else CSV.

    Raises:
        ValueError: format and name contradict each other, or the ending is unknown.
    """
    suffix = output.suffix.lower() if output else ""
    meant = SUFFIXES.get(suffix)
    if kind and meant and kind != meant:
        raise ValueError(f"The name {output} means {meant}, but the format is {kind}.")
    if suffix and not (kind or meant):
        raise ValueError(f"The name {output} does not show the format; add --format.")
    return kind or meant or "csv"


def write_rows(
    rows: Iterable[Row],
    columns: Types,
    kind: Format,
    output: Path | None,
    *,
    for_excel: bool = False,
) -> int:
    """
    Write *rows* with *columns* to *output*, or to stdout, and return their number.

    *for_excel* makes CSV that spreadsheets read correctly: see `_for_excel`.

    Raises:
        ParquetMissing: pyarrow is needed, and not installed.
        OSError: it cannot be written.
    """
    writers: dict[Format, Callable[..., int]] = {
        "csv": partial(_write_csv, for_excel=for_excel),
        "jsonl": _write_jsonl,
        "parquet": _write_parquet,
    }
    with open_output(output or STDOUT) as stream:
        return writers[kind](iter(rows), columns, stream)


def _write_csv(rows: Iterator[Row], columns: Types, stream: IO[bytes], *, for_excel: bool) -> int:
    if for_excel:
        stream.write("\ufeff".encode())
    writer = csv.writer(_Encoded(stream), lineterminator=_CRLF)
    writer.writerow(columns)
    is_terminal = stream.isatty()
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007 -- counted as they go
        cells = map(_cell, row.values())
        cells = map(_for_excel, cells) if for_excel else cells
        writer.writerow(map(_for_terminal, cells) if is_terminal else cells)
    return count


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    # Names may contain a comma, but no semicolon.
    return "; ".join(value) if isinstance(value, list) else _plain(value)


#: Characters that begin a formula in a spreadsheet, also after blanks.
_FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")


def _for_excel(value: Any) -> Any:
    """Return *value* with an apostrophe before it if it is a text that would be a formula."""
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value


def _for_terminal(value: Any) -> Any:
    """Return *value* without control characters if it is a text; files and pipes have them all."""
    return printable(value) if isinstance(value, str) else value


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


#: Line ends of the csv module: before Python 3.11.9 it quotes a bare CR only if CR is in it.
_CRLF = "\r\n"


class _Encoded:
    """Writes rows that end in CRLF into a stream of bytes, with LF in its place."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(f"{text.removesuffix(_CRLF)}\n".encode())


def _write_jsonl(rows: Iterator[Row], _columns: Types, stream: IO[bytes]) -> int:
    count = 0
    for count, row in enumerate(rows, start=1):  # noqa: B007
        plain = {name: _plain(value) for name, value in row.items()}
        stream.write(json_line(plain, is_ascii=False).encode("utf-8") + b"\n")
    return count


def _write_parquet(rows: Iterator[Row], columns: Types, stream: IO[bytes]) -> int:
    try:
        from cli.query.parquet import write_parquet  # noqa: PLC0415 -- pyarrow is optional
    except ImportError as error:
        raise ParquetMissing(
            "Parquet needs another library: pip install pyarrow. CSV and JSON Lines need none."
        ) from error
    return write_parquet(rows, columns, stream)
