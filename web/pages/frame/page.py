"""`Page`: one address of the pages, its parameters, how it is read, and its template."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from web.v1.parameters import Query
from web.v1.route import Source

HTML = "text/html"


@dataclass(frozen=True, slots=True)
class Page:
    """
    An address, with everything that a request for it needs.

    *read* returns a frozen value, which the template knows as `view`; it raises `ProblemFound` for
    an error, which becomes a page too.
    """

    #: Below the base path, such as `/movies/{slug}`.
    path: str
    #: In `templates/`.
    template: str
    #: The parameters in the path and in the query; others are errors.
    query: type[Query]
    read: Callable[[Source, Any], object]
    #: The entry of the navigation that it belongs to; empty for none.
    place: str = ""
    #: False: the page also depends on the time, or on which processes run.
    is_kept: bool = True
    #: Whether the page also depends on the day, in UTC.
    is_daily: bool = False
    content_type: str = HTML
    #: Whether its links name the scheme and the host, for programs that keep it elsewhere.
    is_absolute: bool = False
