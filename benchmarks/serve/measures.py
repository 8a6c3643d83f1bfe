"""`measure`, `measure_memory`: loads on servers that take turns, and their figures."""

import json
import random
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import TypeVar

from benchmarks.serve.cpu import resident_mb
from benchmarks.serve.load import Load, Measured
from benchmarks.serve.servers import Server, fetch_header

CONNECTIONS = 32
PAGE, DETAILS = "page of 50", "details"
#: Ours alone: the others keep nothing.
GZIPPED, KEPT, UNCHANGED = "page of 50, gzip", "page of 50, kept", "page of 50, 304"
ALONE = "page of 50, 1 connection"
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


def measure(
    servers: Sequence[Server],
    postmaster: int,
    ids: Sequence[int],
    *,
    rounds: int,
    seconds: float,
    report: Callable[[str], None],
) -> list[Figure]:
    """Send all kinds of requests to all servers in turn, *rounds* times after a warm-up."""
    # Connections to PostgreSQL are opened, and statements are planned.
    for server in servers:
        for _, load in _loads(server, ids, 0.9, _WARM_UP_SECONDS):
            run(load, {})
    figures: dict[tuple[str, str], Figure] = {}
    for number in range(rounds):
        for server in servers:
            for kind, load in _loads(server, ids, number / rounds, seconds):
                pids = {"server": server.pid, "postgresql": postmaster}
                measured = run(load, pids)
                expected = {"304"} if kind == UNCHANGED else {"200"}
                if set(measured.statuses) != expected:
                    raise SystemExit(f"{server.name}, {kind}: {measured.statuses}")
                figure = figures.setdefault((server.name, kind), Figure(server.name, kind))
                figure.rounds.append(measured)
                report(
                    f"  {server.name}, {kind}: {measured.rate:,.0f}/s, "
                    f"CPU ms {measured.cpu['server']:.2f} + {measured.cpu['postgresql']:.2f}"
                )
    return list(figures.values())


def _loads(
    server: Server, ids: Sequence[int], begin: float, seconds: float
) -> Iterator[tuple[str, Load]]:
    """Yield loads that begin at another place of the catalogue in each round."""
    pages = _from(server.pages, begin)
    shuffled = random.Random(1).sample(ids, len(ids))  # noqa: S311 -- the same every time
    movies = [server.details.format(movie_id) for movie_id in _from(shuffled, begin)]
    yield PAGE, _load(server, pages, seconds)
    yield DETAILS, _load(server, movies, seconds)
    if server.name == "ours":
        gzip = {"Accept-Encoding": "gzip"}
        one = _load(server, _from(server.pages, begin + 0.25), seconds)
        yield ALONE, replace(one, connections=1)
        yield GZIPPED, _load(server, _from(server.pages, begin + 0.15), seconds, gzip)
        yield KEPT, _load(server, pages[:1], seconds)
        etag = fetch_header(server, pages[0], "ETag")
        yield UNCHANGED, _load(server, pages[:1], seconds, {"If-None-Match": etag})


def _from(items: Sequence[Item], begin: float) -> list[Item]:
    place = int(len(items) * begin) % len(items)
    return [*items[place:], *items[:place]]


def _load(
    server: Server, targets: list[str], seconds: float, headers: dict[str, str] | None = None
) -> Load:
    return Load(server.port, targets, headers or {}, CONNECTIONS, seconds)


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


def ratio(figures: Sequence[Figure], kind: str, peer: str) -> float:
    """Return the CPU of a peer, with PostgreSQL, for a request, divided by ours."""
    sums = {
        figure.server: figure.cpu("server") + figure.cpu("postgresql")
        for figure in figures
        if figure.kind == kind
    }
    return sums[peer] / sums["ours"]
