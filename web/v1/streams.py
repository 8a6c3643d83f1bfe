"""`send_stream`: a whole list as NDJSON or CSV, in flat memory; `Lines` makes the bytes."""

import csv
import io
import json
import sys
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Literal

from aiohttp import web
from pydantic import BaseModel
from sqlalchemy.orm import Session

from database.errors import DatabaseNotReady
from web.guards import SAFE_HEADERS
from web.reader import CatalogueReader, Overloaded
from web.responses import accepts_gzip
from web.v1.parameters import ListQuery
from web.v1.problems import ProblemFound
from web.v1.route import Items, Span

StreamFormat = Literal["ndjson", "csv"]
CONTENT_TYPES: dict[StreamFormat, str] = {
    "ndjson": "application/x-ndjson",
    "csv": "text/csv; charset=utf-8",
}
#: Items that are read at once.
_PART = 500


class Lines:
    """Makes the bytes of a stream of items, part by part."""

    def __init__(self, kind: StreamFormat, item: type[BaseModel]) -> None:
        """Write items with the fields of *item*."""
        self.kind = kind
        self._columns = list(item.model_fields)

    def head(self) -> bytes:
        """Return what comes before all items: the names of the columns of CSV."""
        return b"" if self.kind == "ndjson" else _csv_lines([self._columns])

    def body(self, rows: Sequence[str]) -> bytes:
        """Return *rows*, which are JSON objects."""
        if self.kind == "ndjson":
            return "".join(f"{row}\n" for row in rows).encode()
        objects = map(json.loads, rows)
        return _csv_lines([[_cell(row[name]) for name in self._columns] for row in objects])


def _cell(value: Any) -> Any:
    """Return a value as text: of lists, the items; of an object in a list, its name or hash."""
    if isinstance(value, list):
        # Names may contain a comma, but no semicolon.
        return "; ".join(map(_name_of, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return value


def _name_of(value: Any) -> str:
    return str(value.get("name") or value.get("hash")) if isinstance(value, dict) else str(value)


def _csv_lines(rows: Sequence[Sequence[Any]]) -> bytes:
    text = io.StringIO()
    csv.writer(text, lineterminator="\r\n").writerows(rows)
    return text.getvalue().encode()


async def send_stream(
    request: web.Request,
    lines: Lines,
    query: ListQuery,
    read_items: Callable[[Span, Session], Items],
    reader: CatalogueReader,
) -> web.StreamResponse:
    """
    Send the whole list, or up to *limit* items, in parts; memory does not grow with the list.

    No connection to the database waits for the client, which `web.connections` cuts if it takes
    nothing. If a part cannot be read, the response ends without its last chunk, which clients
    report as an error.

    Raises:
        ProblemFound, Overloaded, DatabaseNotReady, ValueError: before anything is sent.
    """

    def read(span: Span, session: Session) -> tuple[Items, bytes]:
        items = read_items(span, session)
        return items, lines.body(items.rows)

    left = query.limit or sys.maxsize
    items, body = await reader.run(
        partial(read, Span(query.cursor, min(left, _PART), is_stream=True))
    )
    response = web.StreamResponse(headers=_headers(lines.kind, items))
    if accepts_gzip(request):
        response.enable_compression(web.ContentCoding.gzip)
    await response.prepare(request)
    if request.method == "HEAD":
        return response
    try:
        await response.write(lines.head() + body)
        while items.cursor is not None and (left := left - len(items.rows)) > 0:
            items, body = await reader.run(
                partial(read, Span(items.cursor, min(left, _PART), is_stream=True))
            )
            await response.write(body)
    except (Overloaded, DatabaseNotReady, ProblemFound):
        if request.transport is not None:
            request.transport.abort()
    return response


def _headers(kind: StreamFormat, items: Items) -> dict[str, str]:
    headers = {
        **SAFE_HEADERS,
        "Content-Type": CONTENT_TYPES[kind],
        "Cache-Control": "no-store",
        "Vary": "Accept, Accept-Encoding",
    }
    if next_since := items.more.get("next_since"):
        headers["Next-Since"] = next_since
    return headers
