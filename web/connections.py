"""`GuardedSite`: a listening port with a limit of connections, which cuts clients that stall."""

import asyncio
import fcntl
import socket
import struct
import sys
import termios
from typing import cast

from aiohttp import web
from aiohttp.web_protocol import RequestHandler

#: Connections that are open at once; each further one is told to try again.
MAX_CONNECTIONS = 500
#: A client that takes nothing of its response is cut between three and four of these later.
CHECK_SECONDS = 10.0
_CHECKS = 3
_REFUSAL_SECONDS = 1.0
_FULL = (
    b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 2\r\nConnection: close\r\n"
    b"Content-Type: text/plain; charset=utf-8\r\nContent-Length: 31\r\n\r\n"
    b"Too many connections are open.\n"
)


class GuardedSite(web.TCPSite):
    """
    Listens on a host and port.

    aiohttp itself closes connections on which no complete request comes in time.
    """

    #: None until the port is open.
    _watching: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Listen, and begin to watch the connections."""
        self._runner._reg_site(self)
        loop = asyncio.get_running_loop()
        self._server = await loop.create_server(
            self._accept, self._host, self._port, backlog=self._backlog
        )
        self._watching = loop.create_task(self._cut_stalled())

    async def stop(self) -> None:
        """Accept no more connections; those that are open are left to the runner."""
        if self._watching is not None:
            self._watching.cancel()
        await super().stop()

    def _accept(self) -> asyncio.Protocol:
        server = self._runner.server
        assert server is not None  # noqa: S101 -- for the types: the runner is set up
        return _Refusal() if len(server.connections) >= MAX_CONNECTIONS else server()

    async def _cut_stalled(self) -> None:
        """Reset connections whose clients took no byte during some checks."""
        stalled: dict[RequestHandler, tuple[int, int]] = {}
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            server = self._runner.server
            checked: dict[RequestHandler, tuple[int, int]] = {}
            for connection in server.connections if server is not None else ():
                transport = connection.transport
                waiting = transport.get_write_buffer_size() if transport is not None else 0
                if transport is None or not waiting:
                    continue
                left = waiting + unconfirmed_bytes(transport.get_extra_info("socket"))
                before, checks = stalled.get(connection, (left, 0))
                checks = checks + 1 if before == left else 0
                if checks > _CHECKS:
                    _reset(transport)
                checked[connection] = (left, checks)
            stalled = checked


def unconfirmed_bytes(connection: socket.socket) -> int:
    """
    Return how many bytes the system holds that the client has not confirmed; 0 if it cannot say.

    The system takes new bytes in large portions: from a client that reads slowly, none for minutes.
    """
    if sys.platform != "linux":
        return 0
    size = fcntl.ioctl(connection.fileno(), termios.TIOCOUTQ, bytes(4))
    (unconfirmed,) = struct.unpack("i", size)
    return int(unconfirmed)


def _reset(transport: asyncio.Transport) -> None:
    """Close a connection without sending the rest, which the system would keep for minutes."""
    linger = struct.pack("ii", 1, 0)
    transport.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
    transport.abort()


class _Refusal(asyncio.Protocol):
    """Responds to a connection that is one too many, and closes it."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Wait a moment for the request: clients that are still sending would not read."""
        self._transport = cast("asyncio.Transport", transport)
        asyncio.get_running_loop().call_later(_REFUSAL_SECONDS, transport.close)

    def data_received(self, _data: bytes) -> None:
        """Respond to the first bytes of the request."""
        self._transport.write(_FULL)
        self._transport.close()
