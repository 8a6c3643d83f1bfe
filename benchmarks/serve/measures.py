"""`Rounds`, `measure_memory`: loads on servers that take turns, and their figures."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

from sqlalchemy import URL

from benchmarks.serve.commits import committing
from benchmarks.serve.cpu import resident_mb
from benchmarks.serve.load import Load, Measured
from benchmarks.serve.servers import Server, fetch_header, open_ours

CONNECTIONS = 32
PAGE, DETAILS = "page of 50", "details"
#: Ours alone: the others keep nothing.
FIRST, CHANGING = "page of 50, first time", "page of 50, among commits"
GZIPPED, KEPT, UNCHANGED = "page of 50, gzip", "page of 50, kept", "page of 50, 304"
ALONE = "page of 50, 1 connection"
#: Requests of a server that was just started, all for different pages.
_FIRST, _FIRST_WARM_UP = 1000, 100
_MEMORY_PARTS = 10
_WARM_UP_SECONDS = 1.0

Item = TypeVar("Item")


@dataclass(slots=True)
class Figure:
    """All rounds of one kind of request to one server."""

    server: str
    kind: str
    rounds: list[Measured] = field(default_factory=list)

    def cpu(self, name: str) -> float:
        """
        Return CPU milliseconds per request of `server` or `postgresql`: those of the best round.

        Other programs on the machine can only add to them.
        """
        return min(measured.cpu.get(name, 0.0) for measured in self.rounds)

    @property
    def rate(self) -> float:
        """Return requests a second, in the best round."""
        return max(measured.rate for measured in self.rounds)

    @property
    def p50(self) -> float:
        """Return the median wait in milliseconds, in the best round."""
        return min(measured.p50 for measured in self.rounds)

    @property
    def p99(self) -> float:
        """Return the wait in milliseconds that 99 % did not exceed, in the best round."""
        return min(measured.p99 for measured in self.rounds)


class Rounds:
    """Sends all kinds of requests to all servers in turn, and collects the figures."""

    def __init__(self, postmaster: int, seconds: float, report: Callable[[str], None]) -> None:
        self._postmaster = postmaster
        self._seconds = seconds
        self._report = report
        self._figures: dict[tuple[str, str], Figure] = {}

    def measure(
        self,
        servers: Sequence[Server],
        ids: Sequence[int],
        url: URL,
        *,
        rounds: int,
    ) -> list[Figure]:
        """Return the figures of *servers*, of which the first is ours, with its database *url*."""
        ours = servers[0]
        # Connections to PostgreSQL are opened, statements are planned, movies are kept.
        run(replace(self._load(ours, ours.pages), requests=len(ours.pages)), {})
        for server in servers:
            for _, load in self._loads(server, ids, 0.9):
                run(replace(load, seconds=_WARM_UP_SECONDS), {})
        for number in range(rounds):
            begin = number / rounds
            for server in servers:
                for kind, load in self._loads(server, ids, begin):
                    self._record(server, kind, load)
                if server is ours:
                    self._measure_ours(ours, url, begin)
        return list(self._figures.values())

    def _measure_ours(self, ours: Server, url: URL, begin: float) -> None:
        """Measure what the others do not distinguish: they keep nothing."""
        with committing(url):
            self._record(ours, CHANGING, self._load(ours, _from(ours.pages, begin + 0.4)))
        with open_ours(url, len(ours.pages)) as fresh:
            run(replace(self._load(fresh, _from(fresh.pages, 0.9)), requests=_FIRST_WARM_UP), {})
            load = self._load(fresh, _from(fresh.pages, 0.0))
            self._record(fresh, FIRST, replace(load, requests=_FIRST, warm_up_seconds=0.0))

    def _record(self, server: Server, kind: str, load: Load) -> None:
        pids = {"server": server.pid, "postgresql": self._postmaster}
        measured = run(load, pids)
        expected = {"304"} if kind == UNCHANGED else {"200"}
        if set(measured.statuses) != expected:
            raise SystemExit(f"{server.name}, {kind}: {measured.statuses}")
        figure = self._figures.setdefault((server.name, kind), Figure(server.name, kind))
        figure.rounds.append(measured)
        self._report(
            f"  {server.name}, {kind}: {measured.rate:,.0f}/s, "
            f"CPU ms {measured.cpu['server']:.2f} + {measured.cpu['postgresql']:.2f}"
        )

    def _loads(
        self, server: Server, ids: Sequence[int], begin: float
    ) -> Iterator[tuple[str, Load]]:
        """Yield loads that begin at another place of the catalogue in each round."""
        pages = _from(server.pages, begin)
        shuffled = random.Random(1).sample(ids, len(ids))  # noqa: S311 -- the same every time
        movies = [server.details.format(movie_id) for movie_id in _from(shuffled, begin)]
        yield PAGE, self._load(server, pages)
        yield DETAILS, self._load(server, movies)
        if server.name == "ours":
            one = self._load(server, _from(server.pages, begin + 0.25))
            yield ALONE, replace(one, connections=1)
            zipped = _from(server.pages, begin + 0.15)
            yield GZIPPED, self._load(server, zipped, {"Accept-Encoding": "gzip"})
            yield KEPT, self._load(server, pages[:1])
            etag = fetch_header(server, pages[0], "ETag")
            yield UNCHANGED, self._load(server, pages[:1], {"If-None-Match": etag})

    def _load(
        self, server: Server, targets: list[str], headers: dict[str, str] | None = None
    ) -> Load:
        return Load(server.port, targets, headers or {}, CONNECTIONS, self._seconds)


def _from(items: Sequence[Item], begin: float) -> list[Item]:
    place = int(len(items) * begin) % len(items)
    return [*items[place:], *items[:place]]


def run(load: Load, pids: dict[str, int]) -> Measured:
    """Send a load from a process of its own."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.serve.load"],
        input=json.dumps({**asdict(load), "pids": pids}),
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return Measured(**json.loads(done.stdout))


def measure_memory(
    server: Server, requests: int, report: Callable[[str], None]
) -> list[tuple[int, float]]:
    """Return the resident MB of *server* after each tenth of pages, movies and searches."""
    words = ("the", "song", "winter", "no+such+word")
    targets = [
        *server.pages,
        *(server.details.format(movie_id) for movie_id in range(1, 4001)),
        *(f"{server.pages[0]}&query_term={word}&n={n}" for n in range(20) for word in words),
        *(f"/nothing/{number}" for number in range(500)),
    ]
    random.Random(1).shuffle(targets)  # noqa: S311
    sizes = []
    for part in range(_MEMORY_PARTS):
        count = requests // _MEMORY_PARTS
        load = Load(
            server.port, _from(targets, part / _MEMORY_PARTS), {"Accept-Encoding": "gzip"},
            CONNECTIONS, requests=count, warm_up_seconds=0,
        )  # fmt: skip
        run(load, {})
        sizes.append((count * (part + 1), resident_mb(server.pid)))
        report(f"  {sizes[-1][0]:,} requests: {sizes[-1][1]:.1f} MB")
    return sizes


def ratio(figures: Sequence[Figure], kind: str, peer: str, of_peer: str = "") -> float:
    """Return the CPU of a peer, with PostgreSQL, for a request, divided by ours."""
    sums = {
        (figure.server, figure.kind): figure.cpu("server") + figure.cpu("postgresql")
        for figure in figures
    }
    return sums[peer, of_peer or kind] / sums["ours", kind]
