"""`Route`: one address of the API v1, its parameters, its responses, and how they are read."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Self, get_args

from pydantic import BaseModel
from sqlalchemy.orm import Session

from web.meaning import Meaning
from web.v1.cursors import decode_place, encode_cursor
from web.v1.parameters import Query

_PATH_PARAMETER = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class Source:
    """What a request is read from."""

    session: Session
    meaning: Meaning


@dataclass(frozen=True, slots=True)
class Span:
    """Which part of a list is read."""

    cursor: str | None
    limit: int
    is_stream: bool = False


@dataclass(frozen=True, slots=True)
class Items:
    """A part of a list, each item as a JSON object."""

    rows: list[str]
    #: Where the next part begins; None at the end of the list.
    cursor: str | None = None
    #: Fields of the page besides `next` and `items`.
    more: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, rows: list[str], span: Span) -> Self:
        """Return a part of *rows*, which are the whole list."""
        begin = decode_place("place", span.cursor)
        return cls(rows[begin : begin + span.limit], next_place(begin, span.limit, len(rows)))


def next_place(begin: int, limit: int, known: int) -> str | None:
    """Return the cursor after a part of *known* items; None if there are no others."""
    end = begin + limit
    return encode_cursor("place", [end]) if end < known else None


@dataclass(frozen=True, slots=True)
class Route:
    """An address, with everything that its description says."""

    #: Below the root of the API.
    path: str
    #: Unique; a name for clients that are generated from the description.
    name: str
    summary: str
    #: A request, below the root of the API.
    example: str
    query: type[Query]
    response: type[BaseModel]
    #: One of both.
    read_object: Callable[[Source, Any], str] | None = None
    read_items: Callable[[Source, Any, Span], Items] | None = None
    #: False: the response also depends on the time, or on which processes run.
    is_kept: bool = True

    @property
    def path_parameters(self) -> list[str]:
        """Return the names of parameters in the path."""
        return _PATH_PARAMETER.findall(self.path)

    @property
    def query_parameters(self) -> list[str]:
        """Return the names of the other parameters."""
        inside = self.path_parameters
        return [name for name in self.query.model_fields if name not in inside]

    @property
    def item(self) -> type[BaseModel]:
        """Return the model of the items of a list."""
        item: type[BaseModel] = get_args(self.response.model_fields["items"].annotation)[0]
        return item
