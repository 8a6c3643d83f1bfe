"""`measure_pages`: CPU time, size and wait of each page for people, of which nothing is kept."""

import http.client
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from statistics import median

import psycopg2
from psycopg2.extensions import cursor as Cursor  # noqa: N812 -- a class
from sqlalchemy import URL

from benchmarks.serve.commits import change_torrent
from benchmarks.serve.cpu import CpuClock

#: Longer than the server takes a revision for the last one, in seconds.
_PAUSE_SECONDS = 0.12


@dataclass(slots=True)
class PageFigure:
    """All rounds of one kind of page; CPU and waits are milliseconds for one request."""

    server: list[float] = field(default_factory=list)
    postgresql: list[float] = field(default_factory=list)
    #: Of both together, for different addresses one after another; none for a single address.
    in_a_row: list[float] = field(default_factory=list)
    #: Of all requests.
    waits: list[float] = field(default_factory=list)
    #: Of the largest page.
    size_bytes: int = 0

    @property
    def cpu(self) -> tuple[float, float]:
        """Return the server's and PostgreSQL's CPU of the best round: other programs add to it."""
        return min(zip(self.server, self.postgresql, strict=True), key=sum)

    @property
    def p50(self) -> float:
        """Return the median wait."""
        return median(self.waits)


@dataclass(frozen=True, slots=True)
class Processes:
    """The processes whose CPU time is measured, and the port of the server."""

    server: int
    postmaster: int
    port: int


def measure_pages(
    processes: Processes,
    url: URL,
    pages: Mapping[str, Sequence[str]],
    rounds: int,
    report: Callable[[str], None],
) -> dict[str, PageFigure]:
    """Request all addresses of each kind of page in turn, with a commit before each request."""
    figures = {kind: PageFigure() for kind in pages}
    with _connected(processes, url) as (cursor, connection):
        # Connections are opened, models and templates loaded.
        for path in (path for paths in pages.values() for path in paths[:8]):
            _request(connection, path)
        for _ in range(rounds):
            for kind, paths in pages.items():
                _measure(figures[kind], processes, cursor, connection, paths)
                server, postgresql = figures[kind].server[-1], figures[kind].postgresql[-1]
                report(f"  {kind}: CPU ms {server:.1f} + {postgresql:.1f}")
    return figures


def _measure(
    figure: PageFigure,
    processes: Processes,
    cursor: Cursor,
    connection: http.client.HTTPConnection,
    paths: Sequence[str],
) -> None:
    def request_each() -> None:
        for path in paths:
            _forget(cursor)
            wait, size = _request(connection, path)
            figure.waits.append(wait * 1000)
            figure.size_bytes = max(figure.size_bytes, size)

    def request_in_a_row() -> None:
        for path in paths:
            _request(connection, path)

    server, postgresql = _cpu(request_each, processes, cursor)
    figure.server.append(server / len(paths))
    figure.postgresql.append(postgresql / len(paths))
    if len({*paths}) == len(paths):
        _forget(cursor)
        figure.in_a_row.append(sum(_cpu(request_in_a_row, processes, cursor)) / len(paths))


def _cpu(work: Callable[[], None], processes: Processes, cursor: Cursor) -> tuple[float, float]:
    """Return the CPU milliseconds of the server and of PostgreSQL, without those of *cursor*."""
    own = CpuClock(cursor.connection.info.backend_pid)
    clocks = CpuClock(processes.server), CpuClock(processes.postmaster), own
    begin = [clock.seconds() for clock in clocks]
    work()
    server, postgresql, commits = (
        1000 * (clock.seconds() - before) for clock, before in zip(clocks, begin, strict=True)
    )
    return server, postgresql - commits


def _forget(cursor: Cursor) -> None:
    """Commit something, and wait until the server forgets the responses that it has kept."""
    change_torrent(cursor, 1)
    time.sleep(_PAUSE_SECONDS)


def _request(connection: http.client.HTTPConnection, path: str) -> tuple[float, int]:
    """Return the seconds until the whole page was there, and its bytes."""
    begin = time.perf_counter()
    connection.request("GET", path)
    response = connection.getresponse()
    body = response.read()
    if response.status != 200:
        raise SystemExit(f"{path}: {response.status}")
    return time.perf_counter() - begin, len(body)


@contextmanager
def _connected(
    processes: Processes, url: URL
) -> Iterator[tuple[Cursor, http.client.HTTPConnection]]:
    plain = url.set(drivername="postgresql").render_as_string(hide_password=False)
    with (
        closing(psycopg2.connect(plain)) as database,
        closing(http.client.HTTPConnection("127.0.0.1", processes.port)) as connection,
    ):
        database.autocommit = True
        yield database.cursor(), connection
