"""
`main`: a process that sends requests over some connections and prints what it measured as JSON.

It reads a `Load` as JSON from stdin. It does not look at bodies, so that it takes little CPU.
"""

import asyncio
import json
import re
import sys
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from itertools import cycle
from typing import Any, cast

from benchmarks.serve.cpu import CpuClock

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)
_END_OF_HEAD = b"\r\n\r\n"
_END_OF_CHUNKS = b"0\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Load:
    """Which requests to send, and how."""

    port: int
    #: Paths with queries, in turn; from the first one again if there are too few.
    targets: list[str]
    headers: dict[str, str] = field(default_factory=dict)
    connections: int = 32
    #: The load ends after this time, or after that many requests if there is a number.
    seconds: float = 5.0
    requests: int = 0
    #: Not measured, at the beginning.
    warm_up_seconds: float = 0.5
    #: Requests a second of all connections; 0 means as many as possible.
    rate: float = 0.0
    #: Processes whose CPU time is measured, by name.
    pids: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of a load."""

    requests: int
    seconds: float
    #: Number of responses by status.
    statuses: dict[str, int]
    #: Bytes of responses with their heads.
    received: int
    #: Milliseconds from a request to the end of its response.
    p50: float
    p99: float
    #: CPU milliseconds per request, by the names of the load, and of this process as `load`.
    cpu: dict[str, float]

    @property
    def rate(self) -> float:
        """Return requests a second."""
        return self.requests / self.seconds


class _Counts:
    """Counts since the end of the warm-up, for all connections."""

    def __init__(self, load: Load) -> None:
        self._clocks = {name: CpuClock(pid) for name, pid in load.pids.items()}
        self.clear()

    def clear(self) -> None:
        """Begin to count."""
        self.waits: list[float] = []
        self.statuses: dict[str, int] = {}
        self.received = 0
        self._cpu = {name: clock.seconds() for name, clock in self._clocks.items()}
        self._own_cpu = time.process_time()
        self._begun = time.perf_counter()

    def measured(self) -> Measured:
        """Return all figures."""
        seconds = time.perf_counter() - self._begun
        waits = sorted(self.waits)
        count = max(1, len(waits))
        cpu = {
            name: (clock.seconds() - self._cpu[name]) * 1000 / count
            for name, clock in self._clocks.items()
        }
        cpu["load"] = (time.process_time() - self._own_cpu) * 1000 / count
        p50, p99 = (waits[int(len(waits) * share)] * 1000 if waits else 0 for share in (0.5, 0.99))
        return Measured(len(waits), seconds, self.statuses, self.received, p50, p99, cpu)


class _Connection(asyncio.BufferedProtocol):
    """Sends a request, drops its response, and sends the next one."""

    def __init__(self, requests: Iterator[bytes], counts: _Counts, pause: float) -> None:
        self._requests = requests
        self._counts = counts
        self._pause = pause
        self._buffer = bytearray(1 << 18)
        self._head = b""
        self._missing = 0
        self._is_chunked = False
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Send the first request."""
        self._transport = cast("asyncio.Transport", transport)
        self._send()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell the main task."""
        if not self.closed.done():
            self.closed.set_result(None)

    def close(self) -> None:
        """Send no more requests."""
        self._transport.close()

    def _send(self) -> None:
        request = next(self._requests, None)
        if request is None or self._transport.is_closing():
            self._transport.close()
            return
        self._sent_at = time.perf_counter()
        self._transport.write(request)

    def get_buffer(self, sizehint: int) -> bytearray:
        """Return the buffer, which is used again for all responses."""
        return self._buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Notice the end of the response."""
        self._counts.received += nbytes
        if self._missing:
            self._missing -= nbytes
        elif not self._is_chunked:
            self._read_head(nbytes)
        if self._is_chunked:
            tail = bytes(memoryview(self._buffer)[max(0, nbytes - 5) : nbytes])
            if tail == _END_OF_CHUNKS:
                self._is_chunked = False
                self._end()
        elif not self._missing and not self._head:
            self._end()

    def _read_head(self, nbytes: int) -> None:
        received = self._head + bytes(memoryview(self._buffer)[:nbytes])
        head, end, body = received.partition(_END_OF_HEAD)
        if not end:
            self._head = received
            return
        self._head = b""
        status = head[9:12].decode()
        self._counts.statuses[status] = self._counts.statuses.get(status, 0) + 1
        if length := _LENGTH.search(head):
            self._missing = int(length[1]) - len(body) if status != "304" else 0
        else:
            self._is_chunked = status not in ("204", "304")

    def _end(self) -> None:
        self._counts.waits.append(time.perf_counter() - self._sent_at)
        if self._pause:
            wait = self._pause - (time.perf_counter() - self._sent_at)
            asyncio.get_running_loop().call_later(max(0.0, wait), self._send)
        else:
            self._send()


async def _run(load: Load) -> Measured:
    loop = asyncio.get_running_loop()
    counts = _Counts(load)
    requests = _requests(load)
    pause = load.connections / load.rate if load.rate else 0.0
    connections = []
    for number in range(load.connections):
        made = loop.create_connection(
            lambda: _Connection(requests, counts, pause), "127.0.0.1", load.port
        )
        connections.append((await made)[1])
        if pause:
            await asyncio.sleep(pause / load.connections if number else 0)
    await asyncio.sleep(load.warm_up_seconds)
    counts.clear()
    everything = asyncio.gather(*(connection.closed for connection in connections))
    if load.requests:
        await everything
        return counts.measured()
    # Servers that end close their connections.
    await asyncio.wait([everything], timeout=load.seconds)
    measured = counts.measured()
    for connection in connections:
        connection.close()
    await everything
    return measured


def _requests(load: Load) -> Iterator[bytes]:
    headers = "".join(f"{name}: {value}\r\n" for name, value in load.headers.items())
    targets = cycle(load.targets)
    number = 0
    while not load.requests or number < load.requests:
        number += 1
        yield f"GET {next(targets)} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}\r\n".encode()


def main() -> None:
    """Read the load, send it, print the result."""
    import uvloop  # only this process needs it

    raw: Any = json.load(sys.stdin)
    measured = uvloop.run(_run(Load(**raw)))
    json.dump(asdict(measured), sys.stdout)


if __name__ == "__main__":
    main()
