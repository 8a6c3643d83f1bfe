"""`ScriptedSource`: a YTS API over a small catalogue whose list and details lie on request."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.yts.answers import a_ghost, a_movie, a_row, answer

Json = dict[str, Any]


@dataclass
class ScriptedSource:
    """The catalogue, and the ways in which its answers are wrong just now."""

    url: str = ""
    #: YTS ids, oldest first, as the list has them.
    ids: list[int] = field(default_factory=list)
    #: Fields of a movie that differ from those of `tests.yts.answers`.
    changes: dict[int, Json] = field(default_factory=dict)
    #: Movies that no list page names, though their details exist.
    hidden: set[int] = field(default_factory=set)
    #: Movies whose details say "no such movie", though the list may name them.
    denied: set[int] = field(default_factory=set)
    denies_all: bool = False
    #: The most rows of a page, and whether the answer says so.
    most_rows: int = 50
    says_limit: bool = True
    #: Rows that a page comes with, by its number.
    shortened: dict[int, int] = field(default_factory=dict)
    #: Every page is the first one, or pages past the end are the last one.
    ignores_page: bool = False
    clamps_page: bool = False
    says_page: bool = True
    #: The count of an answer; None: the true one.
    count: Callable[[int], int] = lambda true: true
    #: Called with the query of each request for the list before it is answered.
    before_page: Callable[[dict[str, str]], None] = lambda _query: None
    #: Endpoints and queries of all requests.
    requests: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)

    def respond(self, endpoint: str, query: dict[str, str]) -> bytes:
        """Return the body of the answer."""
        with self.lock:
            self.requests.append((endpoint, query))
            if endpoint == "movie_details.json":
                return self._details(int(query["movie_id"]))
            self.before_page(query)
            return self._page(query)

    def _details(self, movie_id: int) -> bytes:
        is_there = movie_id in self.ids and movie_id not in self.denied and not self.denies_all
        movie = a_movie(movie_id) | self.changes.get(movie_id, {}) if is_there else a_ghost()
        return answer({"movie": movie})

    def _page(self, query: dict[str, str]) -> bytes:
        limit, page = min(int(query["limit"]), self.most_rows), int(query["page"])
        ids = [id_ for id_ in self.ids if id_ not in self.hidden]
        if query["order_by"] == "desc":
            ids.reverse()
        if self.ignores_page:
            page = 1
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
            data["movies"] = [a_row(id_) | self.changes.get(id_, {}) for id_ in shown]
        return answer(data)

    def count_requests(self, endpoint: str) -> int:
        """Return how many requests there were for `list` or `details`."""
        return sum(endpoint in asked for asked, _ in self.requests)


@contextmanager
def open_scripted_source(movies: int = 0) -> Iterator[ScriptedSource]:
    """Serve a source with the movies 1 to *movies* on a free port of this machine."""
    source = ScriptedSource(ids=list(range(1, movies + 1)))

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        # Headers and body would leave in two packets, and wait for each other.
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            parts = urlsplit(self.path)
            body = source.respond(parts.path.rpartition("/")[2], dict(parse_qsl(parts.query)))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        threading.Thread(target=server.serve_forever, daemon=True).start()
        source.url = f"http://127.0.0.1:{server.server_port}/api/v2"
        try:
            yield source
        finally:
            server.shutdown()
