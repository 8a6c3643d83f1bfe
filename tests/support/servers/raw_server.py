"""`open_raw`: a server of raw bytes; a function of the test handles each connection."""

import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

#: Takes an accepted connection, which is closed afterwards.
Handler = Callable[[socket.socket], None]


@contextmanager
def open_raw(handle: Handler, certificate: Path | None = None) -> Iterator[str]:
    """
    Serve until the block is left, a thread for each connection; yield host and port.

    With *certificate*, a PEM file that has the key as well, over TLS.
    """
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        handle = _over_tls(context, handle)
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_accept, args=(listening, handle), daemon=True).start()
        yield f"127.0.0.1:{listening.getsockname()[1]}"
        listening.shutdown(socket.SHUT_RDWR)


def _over_tls(context: ssl.SSLContext, handle: Handler) -> Handler:
    def handle_tls(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            handle(secure)

    return handle_tls


def _accept(listening: socket.socket, handle: Handler) -> None:
    with suppress(OSError):
        while True:
            connection, _ = listening.accept()
            threading.Thread(target=_handle, args=(connection, handle), daemon=True).start()


def _handle(connection: socket.socket, handle: Handler) -> None:
    with connection, suppress(OSError):
        handle(connection)


def read_request(connection: socket.socket) -> bytes:
    """Return the head of the next request; empty if the client has left."""
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = connection.recv(1)
        if not byte:
            return b""
        head += byte
    return head


def whole_response(body: bytes, *lines: bytes, status: bytes = b"200 OK") -> bytes:
    """Return a valid response with further lines in its head."""
    size = b"Content-Length: %d" % len(body)
    return b"\r\n".join([b"HTTP/1.1 " + status, size, *lines, b"", body])
