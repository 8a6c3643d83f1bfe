"""`open_pooler`: a small replacement for PgBouncer, in front of a test server."""

import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

from sqlalchemy import URL

#: Requests for encryption, which are refused.
_ENCRYPTION = (80877103, 80877104)
#: Kinds of AuthenticationXXX that the client does not respond to: Ok, and the last of SCRAM.
_NO_RESPONSE = (0, 12)


@contextmanager
def open_pooler(server: URL, backends: "queue.Queue[socket.socket] | None") -> Iterator[URL]:
    """
    Yield the URL of a pooler before *server*, which refuses the startup parameter `options`.

    Between transactions its connections wait in *backends*; None is the session mode.
    """
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0)))
        accepting = threading.Thread(target=_accept, args=(listener, server, backends, stack))
        accepting.start()
        yield server.set(port=listener.getsockname()[1])
        listener.shutdown(socket.SHUT_RDWR)
        accepting.join()


def _accept(
    listener: socket.socket,
    server: URL,
    backends: "queue.Queue[socket.socket] | None",
    stack: ExitStack,
) -> None:
    with suppress(OSError):
        while True:
            client = stack.enter_context(listener.accept()[0])
            backend = socket.create_connection((server.host, server.port))
            stack.enter_context(backend)
            for channel in (client, backend):  # Otherwise each small message waits for 40 ms.
                channel.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            threading.Thread(target=_serve, args=(client, backend, backends), daemon=True).start()


def _serve(
    client: socket.socket, backend: socket.socket, backends: "queue.Queue[socket.socket] | None"
) -> None:
    with client, suppress(OSError, EOFError, queue.Empty):
        if not (response := _log_in(client, backend)):
            return
        current: socket.socket | None = backend
        while True:
            # Before the client knows, as it may continue on another connection at once.
            if backends is not None and response.endswith(b"I"):
                backends.put(current)
                current = None
            client.sendall(response)
            if (message := _read_message(client))[:1] == b"X":
                break
            current = current or backends.get(timeout=10)
            current.sendall(message)
            response = _read_until_ready(current)
    if backends is None:
        backend.close()


def _log_in(client: socket.socket, backend: socket.socket) -> bytes:
    """Return the end of the login, which the client waits for; empty if it was refused."""
    startup = _read_startup(client)
    if b"\0options\0" in startup:
        fields = b"SFATAL\0C08P01\0Munsupported startup parameter: options\0\0"
        client.sendall(b"E" + struct.pack("!i", len(fields) + 4) + fields)
        return b""
    backend.sendall(startup)
    while (message := _read_message(backend))[:1] != b"Z":
        client.sendall(message)
        if message[:1] == b"R" and struct.unpack("!i", message[5:9])[0] not in _NO_RESPONSE:
            backend.sendall(_read_message(client))
    return message


def _read_until_ready(backend: socket.socket) -> bytes:
    """Return a response; its last byte is the status of the transaction: idle, open or failed."""
    response = b""
    while True:
        message = _read_message(backend)
        response += message
        if message[:1] == b"Z":
            return response


def _read_startup(client: socket.socket) -> bytes:
    while True:
        length = _read(client, 4)
        body = _read(client, struct.unpack("!i", length)[0] - 4)
        if struct.unpack("!i", body[:4])[0] not in _ENCRYPTION:
            return length + body
        client.sendall(b"N")


def _read_message(channel: socket.socket) -> bytes:
    head = _read(channel, 5)
    return head + _read(channel, struct.unpack("!i", head[1:])[0] - 4)


def _read(channel: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        if not (part := channel.recv(size - len(data))):
            raise EOFError
        data += part
    return data
