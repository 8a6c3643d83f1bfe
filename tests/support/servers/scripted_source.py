"""`ScriptedSource`: a YTS API over a small catalogue whose responses are wrong on request."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.data.yts_responses import a_ghost, a_movie, a_row, answer

Json = dict[str, Any]

#: Ways in which a response is lost or damaged on its way; see `_Handler`.
WIRE_FAULTS = ("stall", "status 500", "status 429", "reset", "html", "truncated")

#: The attributes of a source that make its responses wrong, except `hidden`.
_FAULTS = (
    "denied", "denies_all", "most_rows", "says_limit", "shortened", "repeated", "ignores_page",
    "clamps_page", "says_page", "count", "before_page", "before_request",
)  # fmt: skip


@dataclass
class ScriptedSource:
    """The catalogue, and the ways in which its responses are wrong at the moment."""

    url: str = ""
    #: YTS ids, oldest first, as the list has them.
    ids: list[int] = field(default_factory=list)
    #: Fields of a movie that differ from those of `tests.support.data.yts_responses`.
    changes: dict[int, Json] = field(default_factory=dict)
    #: Movies that no list page names, though their details exist.
    hidden: set[int] = field(default_factory=set)
    #: Movies whose details say "no such movie", though the list may name them.
    denied: set[int] = field(default_factory=set)
    denies_all: bool = False
    #: Highest number of rows on a page, and whether the response states it.
    most_rows: int = 50
    says_limit: bool = True
    #: Number of rows of pages that lack some, by the number of the page.
    shortened: dict[int, int] = field(default_factory=dict)
    #: Pages that have the rows of another page: from the one to the other.
    repeated: dict[int, int] = field(default_factory=dict)
    #: Every page has the rows of the first one; or pages past the end have those of the last one.
    ignores_page: bool = False
    clamps_page: bool = False
    says_page: bool = True
    #: Returns the count in a response, given the true one.
    count: Callable[[int], int] = lambda true: true
    #: Called with the query of each request for a list page, before the response is made.
    before_page: Callable[[dict[str, str]], None] = lambda _query: None
    #: Called with the endpoint before each response is made; may return one of `WIRE_FAULTS`.
    before_request: Callable[[str], str | None] = lambda _endpoint: None
    #: Duration of the fault `stall`.
    stall_seconds: float = 3.0
    #: Movies that responses have shown, and ids that they have denied, since a test cleared them.
    shown: set[int] = field(default_factory=set)
    denials: set[int] = field(default_factory=set)
    #: Endpoints and queries of all requests.
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def hold(self, movies: int) -> None:
        """Replace the catalogue by the movies 1 to *movies*."""
        self.ids = list(range(1, movies + 1))

    def remove_faults(self, most_rows: int = 50) -> None:
        """Respond correctly from now on; the catalogue stays as it is."""
        with self.lock:
            faultless = ScriptedSource(most_rows=most_rows)
            for name in ("hidden", *_FAULTS):
                setattr(self, name, getattr(faultless, name))

    def is_faultless(self) -> bool:
        """Return whether all responses are right, and no movie differs; some may be hidden."""
        faultless = ScriptedSource()
        return all(
            getattr(self, name) == getattr(faultless, name) for name in (*_FAULTS, "changes")
        )

    def respond(self, endpoint: str, query: dict[str, str]) -> tuple[bytes, str | None]:
        """Return the body of the response and its fault, one of `WIRE_FAULTS` or None."""
        with self.lock:
            self.requests.append((endpoint, query))
            fault = self.before_request(endpoint)
            if endpoint == "movie_details.json":
                movie_id = int(query["movie_id"])
                is_there = self._gives_details(movie_id)
                if fault is None:
                    (self.shown if is_there else self.denials).add(movie_id)
                return self._details(movie_id, is_there=is_there), fault
            if "order_by" in query:
                self.before_page(query)
            ids, data = self._page(query)
            if fault is None:
                self.shown.update(ids)
            return answer(data), fault

    def _gives_details(self, movie_id: int) -> bool:
        return movie_id in self.ids and movie_id not in self.denied and not self.denies_all

    def _details(self, movie_id: int, *, is_there: bool) -> bytes:
        movie = a_movie(movie_id) | self.changes.get(movie_id, {}) if is_there else a_ghost()
        return answer({"movie": movie})

    def _page(self, query: dict[str, str]) -> tuple[list[int], Json]:
        limit, page = min(int(query["limit"]), self.most_rows), int(query["page"])
        if code := query.get("query_term"):
            matches = [id_ for id_ in self.ids if f"tt{id_:07}" == code]
            rows = [self._row(id_) for id_ in matches]
            return matches, {"movie_count": len(matches), "movies": rows}
        ids = [id_ for id_ in self.ids if id_ not in self.hidden]
        if query["order_by"] == "desc":
            ids.reverse()
        page = 1 if self.ignores_page else self.repeated.get(page, page)
        if self.clamps_page:
            page = min(page, max(1, -(-len(ids) // limit)))
        shown = ids[(page - 1) * limit : page * limit]
        if query["order_by"] == "asc":
            shown = shown[: self.shortened.get(page, limit)]
        data: Json = {"movie_count": self.count(len(ids))}
        if self.says_limit:
            data["limit"] = limit
        if self.says_page:
            data["page_number"] = page
        if shown:
            data["movies"] = [self._row(id_) for id_ in shown]
        return shown, data

    def _row(self, movie_id: int) -> Json:
        return a_row(movie_id) | self.changes.get(movie_id, {})

    def count_requests(self, endpoint: str) -> int:
        """Return the number of requests to an *endpoint*, `list` or `details`."""
        return sum(endpoint in requested for requested, _ in self.requests)


class _Handler(BaseHTTPRequestHandler):
    """Sends the responses of the source, or loses them as its faults say."""

    protocol_version = "HTTP/1.1"
    # Otherwise headers and body leave in two packets, and the second one is delayed.
    disable_nagle_algorithm = True
    source: ScriptedSource

    def do_GET(self) -> None:
        parts = urlsplit(self.path)
        endpoint = parts.path.rpartition("/")[2]
        body, fault = self.source.respond(endpoint, dict(parse_qsl(parts.query)))
        status, kind, length = 200, "application/json", len(body)
        if fault == "stall":
            time.sleep(self.source.stall_seconds)
        elif fault == "reset":
            self._reset()
            return
        elif fault == "html":
            body, kind = b"<html><body>Just a moment...</body></html>", "text/html"
            length = len(body)
        elif fault == "truncated":
            body, self.close_connection = body[: length // 2], True
        elif fault is not None:
            status = int(fault.removeprefix("status "))
        with suppress(ConnectionError):  # The client may have left meanwhile.
            self.send_response(status)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(length))
            self.end_headers()
            self.wfile.write(body)

    def _reset(self) -> None:
        # Closed with lingering of zero seconds, a connection ends with RST.
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.rfile.close()
        self.wfile.close()
        self.connection.close()

    def log_message(self, *_args: object) -> None:
        pass


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, *_args: object) -> None:
        """Print nothing: killed clients break their connections."""


@contextmanager
def open_scripted_source(movies: int = 0) -> Iterator[ScriptedSource]:
    """Serve a source with the movies 1 to *movies* on a free port of this machine."""
    source = ScriptedSource(ids=list(range(1, movies + 1)))
    handler = type("Handler", (_Handler,), {"source": source})
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        source.url = f"http://127.0.0.1:{server.server_port}/api/v2"
        try:
            yield source
        finally:
            server.shutdown()
