"""`render`: the figures of the cluster as a page of Markdown."""

import statistics
from datetime import UTC, datetime
from importlib.metadata import version

from benchmarks.cluster.measures import BATCH, THREADS, TINY_BATCHES, Overhead, Share
from benchmarks.markdown import origin, table

LATENCY_SECONDS = 0.1


def render(shares: list[Share], overhead: Overhead, movies: int, machine: dict[str, str]) -> str:
    """Return the page as Markdown."""
    one = statistics.median(shares[0].on_cluster)
    rows = [
        (
            f"{share.hosts}",
            f"{statistics.median(share.on_cluster):.0f}",
            f"{statistics.median(share.on_cluster) / one:.2f}",
            f"{statistics.median(share.on_processes):.0f}",
            _spread(share.on_cluster),
        )
        for share in shares
    ]
    head = (
        "hosts",
        "movies/s",
        "times one host",
        "as many processes, movies/s",
        "cluster's rounds",
    )
    batches = [
        (name, f"{statistics.median(values):.1f}", _spread(values, ".1f"))
        for name, values in (
            ("on a cluster of two", overhead.on_cluster),
            ("on two processes", overhead.on_processes),
        )
    ]
    extra = statistics.median(overhead.on_cluster) - statistics.median(overhead.on_processes)
    return (
        "# A cluster, beside processes of one machine\n\n"
        f"{origin(datetime.now(UTC).date().isoformat(), machine)}"
        f"distributed {version('distributed')}. Written by `python -m benchmarks.cluster`.\n\n"
        f"A host is one worker with {THREADS} threads on this machine; the API answers after "
        f"{1000 * LATENCY_SECONDS:.0f} ms, so one host fetches at most "
        f"{THREADS / LATENCY_SECONDS:.0f} movies a second. {movies:,} movies by their ids, "
        f"{BATCH} a batch, from the start of the run to its end.\n\n"
        f"{table(head, rows)}\n"
        f"What a batch costs, with {TINY_BATCHES:,} batches of one movie and no latency:\n\n"
        f"{table(('', 'ms a batch', 'rounds'), batches)}\n"
        f"The scheduler adds {extra:.1f} ms to each batch. A batch of 500 movies takes seconds.\n"
    )


def _spread(values: list[float], form: str = ".0f") -> str:
    return ", ".join(format(value, form) for value in values)
