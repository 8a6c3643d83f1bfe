"""`Page`: a page of a list as JSON, with the URL of the next one; `link_of`: the header Link."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, urlencode

from web.v1.parameters import DEFAULT_LIMIT, ListQuery, Query
from web.v1.route import Route, Source, Span

#: `next` is the first field of a page, so that the header can be made from a body that was kept.
_NEXT = re.compile(rb'\{"next":"([^"\\]+)"')


@dataclass(frozen=True, slots=True)
class Page:
    """A page that a client has asked for."""

    route: Route
    query: ListQuery
    #: The path of the API.
    root: str
    #: The parameters as they were sent.
    path: Mapping[str, str]
    sent: Mapping[str, str]

    def make(self, source: Source, _query: Query) -> bytes:
        """Return the body."""
        assert self.route.read_items is not None  # noqa: S101 -- as the table says
        span = Span(self.query.cursor, self.query.limit or DEFAULT_LIMIT)
        items = self.route.read_items(source, self.query, span)
        head = json.dumps({"next": self._next(items.cursor), **items.more}, separators=(",", ":"))
        return f'{head[:-1]},"items":[{",".join(items.rows)}]}}'.encode()

    def _next(self, cursor: str | None) -> str | None:
        if cursor is None:
            return None
        kept = [(name, value) for name, value in self.sent.items() if name != "cursor"]
        values = {name: quote(value, safe="") for name, value in self.path.items()}
        path = f"{self.root}{self.route.path.format(**values)}"
        return f"{path}?{urlencode([*kept, ('cursor', cursor)])}"


def link_of(body: bytes) -> str | None:
    """Return the header `Link` of a page; None for the last one."""
    match = _NEXT.match(body)
    return f'<{match[1].decode()}>; rel="next"' if match else None
