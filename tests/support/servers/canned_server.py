"""`CannedServer`: an HTTP server that sends given responses and records the requests."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

#: SO_LINGER on with 0 seconds: closing resets the connection.
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class SeenRequest:
    """A request that the server has received."""

    #: As on the request line; an absolute URL if the server is used as a proxy.
    target: str
    headers: Mapping[str, str]
    #: Requests of one connection have the same port.
    client_port: int

    @property
    def path(self) -> str:
        """Return the path without the query."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Return the parameters of the query."""
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass(frozen=True)
class Canned:
    """A response; without changes it is complete and valid."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Pause before anything is sent.
    silence_seconds: float = 0.0
    #: Pause between two bytes of the body.
    seconds_per_byte: float = 0.0
    #: Bytes of the body that are sent before the connection is closed; None: all.
    cut_after: int | None = None
    #: Send nothing and reset the connection.
    is_reset: bool = False


Script = Callable[[SeenRequest], Canned]


class CannedServer(ThreadingHTTPServer):
    """Sends `responses` in turn, the last one repeatedly, or what `script` returns."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.responses: list[Canned] = []
        self.script: Script | None = None
        self.requests: list[SeenRequest] = []
        self._lock = threading.Lock()

    @property
    def root(self) -> str:
        """Return scheme, host and port."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """Return the base URL of the API."""
        return f"{self.root}/api/v2"

    def give(self, *responses: Canned | bytes) -> None:
        """Send these from now on; bytes are the body of a valid response."""
        self.responses = [Canned(it) if isinstance(it, bytes) else it for it in responses]

    def next_response(self, request: SeenRequest) -> Canned:
        """Record the request and return its response."""
        with self._lock:
            self.requests.append(request)
            if self.script is not None:
                return self.script(request)
            return self.responses.pop(0) if len(self.responses) > 1 else self.responses[0]

    def handle_error(self, *_: object) -> None:
        """Print nothing: in some tests clients close the connection early."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CannedServer

    def do_GET(self) -> None:
        response = self.server.next_response(
            SeenRequest(self.path, dict(self.headers.items()), self.client_address[1])
        )
        time.sleep(response.silence_seconds)
        if response.is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(response.status)
        headers = {"Content-Length": str(len(response.body)), **response.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_body(response)

    def _send_body(self, response: Canned) -> None:
        body = response.body[: response.cut_after]
        if response.seconds_per_byte:
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(response.seconds_per_byte)
        else:
            self.wfile.write(body)
        self.close_connection = self.close_connection or len(body) < len(response.body)

    def log_message(self, *_: object) -> None:
        pass


@contextmanager
def open_canned() -> Iterator[CannedServer]:
    """Serve until the block is left."""
    with CannedServer() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.005,), daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
