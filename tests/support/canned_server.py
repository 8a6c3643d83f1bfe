"""A real HTTP server that gives the answers it was told to give, and remembers who asked."""

import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qsl, urlsplit

#: The value of SO_LINGER: on, for 0 seconds; closing then resets the connection.
_RESET_AT_ONCE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Asked:
    """One request, as the server saw it."""

    #: As on the request line; absolute where the server is asked as a proxy.
    target: str
    headers: Mapping[str, str]
    #: The same for two requests means one connection.
    client_port: int

    @property
    def path(self) -> str:
        """Return the path alone."""
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        """Return the query's names and values."""
        return dict(parse_qsl(urlsplit(self.target).query))


@dataclass(frozen=True)
class Canned:
    """One answer, whole and in order unless it says otherwise."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    #: Before anything is sent.
    silence_seconds: float = 0.0
    #: Between any two bytes of the body.
    seconds_per_byte: float = 0.0
    #: Bytes of the body that are sent before the connection is closed; None: all.
    cut_after: int | None = None
    #: Send nothing and reset the connection.
    is_reset: bool = False


Script = Callable[[Asked], Canned]


class CannedServer(ThreadingHTTPServer):
    """Gives `answers` one after the other, the last again and again, or what `script` says."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answers: list[Canned] = []
        self.script: Script | None = None
        self.asked: list[Asked] = []
        self._lock = threading.Lock()

    @property
    def root(self) -> str:
        """Return scheme, host and port."""
        return f"http://127.0.0.1:{self.server_port}"

    @property
    def url(self) -> str:
        """Return the base URL as a client wants it."""
        return f"{self.root}/api/v2"

    def give(self, *answers: Canned | bytes) -> None:
        """Give these from now on; bytes are a body of an answer in order."""
        self.answers = [Canned(it) if isinstance(it, bytes) else it for it in answers]

    def next_answer(self, asked: Asked) -> Canned:
        """Remember the request and return what it gets."""
        with self._lock:
            self.asked.append(asked)
            if self.script is not None:
                return self.script(asked)
            return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]

    def handle_error(self, *_: object) -> None:
        """Say nothing: clients that leave early are what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: CannedServer

    def do_GET(self) -> None:
        answer = self.server.next_answer(
            Asked(self.path, dict(self.headers.items()), self.client_address[1])
        )
        time.sleep(answer.silence_seconds)
        if answer.is_reset:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_AT_ONCE)
            self.connection.close()
            self.close_connection = True
            return
        self.send_response(answer.status)
        headers = {"Content-Length": str(len(answer.body)), **answer.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        self._send_body(answer)

    def _send_body(self, answer: Canned) -> None:
        body = answer.body[: answer.cut_after]
        if answer.seconds_per_byte:
            for byte in body:
                self.wfile.write(bytes([byte]))
                time.sleep(answer.seconds_per_byte)
        else:
            self.wfile.write(body)
        self.close_connection = self.close_connection or len(body) < len(answer.body)

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
