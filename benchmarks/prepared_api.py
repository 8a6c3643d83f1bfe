"""
`Api`: the HTTP server of the benchmarks, a process that sends prepared responses.

It must be faster than any contestant. Paths below `/control/` change settings and return counts.
"""

import argparse
import asyncio
import gc
import json
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import cast
from urllib.parse import parse_qsl, urlsplit

from benchmarks.prepared_catalogue import PreparedCatalogue
from sandbox.api.traffic import RateLimit

_SLOW_DOWN = b"You have sent more requests than we can serve at the moment; please pause."
_RETRY_AFTER_SECONDS = 1
_PREFIX = "/api/v2/"
_DETAILS = b"/movie_details.json"
_END_OF_HEAD = b"\r\n\r\n"

Query = dict[str, str]


@dataclass(slots=True)
class Counts:
    """Requests to the API since the last change of its settings."""

    lists: int = 0
    details: int = 0
    #: Number of all requests that got a 429.
    throttled: int = 0
    #: Times of the first and the last request, in seconds of one clock.
    first_at: float = 0.0
    last_at: float = 0.0


class Api:
    """Returns the bytes of the whole response for the target of a request."""

    def __init__(self, catalogue: PreparedCatalogue) -> None:
        """Begin without latency and limit; responses with details are prepared."""
        self._catalogue = catalogue
        self._counts = Counts()
        self._limit = RateLimit(0)
        self._ready: dict[bytes, bytes] = {}
        self.latency_seconds = 0.0
        for movie_id in catalogue.ids_with_details:
            target = f"{_PREFIX}movie_details.json?movie_id={movie_id}&with_cast=true"
            self._ready[target.encode()] = self._make(target)

    def respond(self, target: bytes, now: float) -> tuple[bytes, float]:
        """Return the response, and the seconds by which it is delayed."""
        if target.startswith(b"/control/"):
            return self._control(target.decode()), 0.0
        self._counts.first_at = self._counts.first_at or now
        self._counts.last_at = now
        if _DETAILS in target:
            self._counts.details += 1
        else:
            self._counts.lists += 1
        if not self._limit.admits(now):
            self._counts.throttled += 1
            return _response("429 Too Many Requests", "text/plain", _SLOW_DOWN), 0.0
        response = self._ready.get(target)
        if response is None:
            response = self._ready[target] = self._make(target.decode())
        return response, self.latency_seconds

    def _make(self, target: str) -> bytes:
        parts = urlsplit(target)
        endpoints: dict[str, Callable[[Query], bytes]] = {
            "list_movies.json": self._catalogue.list_movies,
            "movie_details.json": self._catalogue.movie_details,
        }
        endpoint = endpoints.get(parts.path.removeprefix(_PREFIX))
        if endpoint is None:
            return _response("404 Not Found", "text/plain", b"no such endpoint")
        return _response("200 OK", "application/json", endpoint(dict(parse_qsl(parts.query))))

    def _control(self, target: str) -> bytes:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        value: object = {}
        match parts.path.removeprefix("/control/"):
            case "settings":
                self._change(query)
            case "counts":
                value = asdict(self._counts)
            case "truth":
                value = asdict(self._catalogue.truth(with_cast=query["cast"] == "1"))
            case "untitled":
                value = self._catalogue.untitled()
            case "highest_id":
                value = self._catalogue.highest_id
        return _response("200 OK", "application/json", json.dumps(value).encode())

    def _change(self, query: Query) -> None:
        self._counts = Counts()
        self._limit = RateLimit(int(query["limit"]))
        self.latency_seconds = float(query["latency"])
        if self._catalogue.shown != int(query["shown"]):
            # Pages change; details of a movie stay as they are.
            self._catalogue.shown = int(query["shown"])
            self._ready = {
                target: response for target, response in self._ready.items() if _DETAILS in target
            }


class Connection(asyncio.Protocol):
    """A connection of one client, which sends one request without a body at a time."""

    def __init__(self, api: Api) -> None:
        """Wait for the client's first bytes."""
        self._api = api
        self._loop = asyncio.get_running_loop()
        self._received = b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the transport for the responses."""
        # uvloop's transports are not subclasses of asyncio's.
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Respond to each request whose head is complete."""
        self._received += data
        while _END_OF_HEAD in self._received:
            head, _, self._received = self._received.partition(_END_OF_HEAD)
            response, wait = self._api.respond(head.split(b" ", 2)[1], self._loop.time())
            if wait:
                self._loop.call_later(wait, self._transport.write, response)
            else:
                self._transport.write(response)


def _response(status: str, content_type: str, body: bytes) -> bytes:
    retry = f"Retry-After: {_RETRY_AFTER_SECONDS}\r\n" if status.startswith("429") else ""
    head = (
        f"HTTP/1.1 {status}\r\nServer: benchmark\r\n{retry}Content-Type: {content_type}\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


async def _serve(api: Api) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(api), "127.0.0.1", 0, backlog=1024)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


def main() -> None:
    """Serve until killed; the port is the first line on stdout."""
    import uvloop  # only the process that serves needs it

    parser = argparse.ArgumentParser()
    parser.add_argument("--movies", type=int, required=True)
    parser.add_argument("--details", action="store_true")
    options = parser.parse_args()
    api = Api(PreparedCatalogue(options.movies, with_details=options.details))
    gc.freeze()
    gc.disable()
    uvloop.run(_serve(api))


if __name__ == "__main__":
    main()
