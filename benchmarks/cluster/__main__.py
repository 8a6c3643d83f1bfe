"""
Measure a cluster beside processes of one machine, and write cluster.md.

\b
Examples:
  python -m benchmarks.cluster                               everything: seven minutes
  python -m benchmarks.cluster --movies 600 --rounds 1       a try

A host is one worker with four threads on this machine, and the API answers after a fixed time: the
figures show how work is divided, not how fast machines are. Results of a run with other numbers are
only shown, unless --output names a folder.
"""

import statistics
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

import click
import dask
import distributed
from sqlalchemy import make_url

from benchmarks.api_process import ApiProcess, open_api
from benchmarks.databases import Databases, open_databases, read_seconds_of_last_run
from benchmarks.machine import describe
from benchmarks.markdown import origin, table
from database.db import get_db_manager
from ingest.fetch import run_fetch
from ingest.ids import parse_ids
from ingest.run import Listener
from ingest.settings import ClusterSettings, RunSettings
from ingest.stop import StopRequest

_HERE = Path(__file__).parent
_MOVIES, _ROUNDS = 1200, 3
_HOSTS = (1, 2, 3)
_THREADS = 4
_LATENCY_SECONDS = 0.1
_BATCH = 50
#: Batch size and number of batches for measuring the cost of a batch.
_TINY = 1
_TINY_BATCHES = 1000
#: The same value as in deploy/dask.yaml.
_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.worker-saturation": 1.0,
}


@dataclass(frozen=True, slots=True)
class Share:
    """Speed of N hosts, and of N processes on one machine."""

    hosts: int
    #: Movies a second while the run's row was open, each round.
    on_cluster: list[float]
    on_processes: list[float]


@dataclass(frozen=True, slots=True)
class Overhead:
    """Milliseconds that a batch of one movie takes, without latency, each round."""

    on_cluster: list[float]
    on_processes: list[float]


class Runs:
    """Fills fresh databases, each time from the same API."""

    def __init__(self, api: ApiProcess, databases: Databases) -> None:
        """Use *api* and *databases*."""
        self._api, self._databases = api, databases

    def seconds(self, movies: int, workers: int, batch: int, address: str | None) -> float:
        """Fetch *movies* movies by their ids; return how long the run's row was open."""
        url = self._databases.fresh("cluster")
        with get_db_manager(database_url=url) as db:
            settings = RunSettings(
                (self._api.url,),
                make_url(url).set(drivername="postgresql+psycopg2"),
                workers=workers,
                threads=_THREADS,
                batch_size=batch,
                rate=0.0,
                ids=parse_ids(f"1-{movies}"),
                cluster=ClusterSettings(address) if address else None,
            )
            listener = Listener(lambda _row: None, lambda _note: None, lambda _failure: None)
            report = run_fetch(settings, db, "a benchmark", listener, StopRequest())
        if report.exit_code != 0 or report.counts.planned != movies:
            raise click.ClickException(f"a run ended with {report}")
        return read_seconds_of_last_run(url)


@contextmanager
def _open_cluster(workers: int) -> Iterator[str]:
    with distributed.LocalCluster(
        n_workers=workers, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        yield str(cluster.scheduler_address)


def _measure_share(runs: Runs, hosts: int, movies: int, rounds: int) -> Share:
    share = Share(hosts, [], [])
    with _open_cluster(hosts) as address:
        runs.seconds(movies // 10, hosts, _BATCH, address)  # Workers import at their first batch.
        for _ in range(rounds):
            share.on_cluster.append(movies / runs.seconds(movies, hosts, _BATCH, address))
            share.on_processes.append(movies / runs.seconds(movies, hosts, _BATCH, None))
    return share


def _measure_overhead(runs: Runs, rounds: int) -> Overhead:
    overhead = Overhead([], [])
    with _open_cluster(2) as address:
        runs.seconds(_TINY_BATCHES // 10, 2, _TINY, address)
        for _ in range(rounds):
            for values, where in ((overhead.on_cluster, address), (overhead.on_processes, None)):
                seconds = runs.seconds(_TINY_BATCHES, 2, _TINY, where)
                values.append(1000 * seconds / _TINY_BATCHES)
    return overhead


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
        f"A host is one worker with {_THREADS} threads on this machine; the API answers after "
        f"{1000 * _LATENCY_SECONDS:.0f} ms, so one host fetches at most "
        f"{_THREADS / _LATENCY_SECONDS:.0f} movies a second. {movies:,} movies by their ids, "
        f"{_BATCH} a batch, from the start of the run to its end.\n\n"
        f"{table(head, rows)}\n"
        f"What a batch costs, with {_TINY_BATCHES:,} batches of one movie and no latency:\n\n"
        f"{table(('', 'ms a batch', 'rounds'), batches)}\n"
        f"The scheduler adds {extra:.1f} ms to each batch. A batch of 500 movies takes seconds.\n"
    )


def _spread(values: list[float], form: str = ".0f") -> str:
    return ", ".join(format(value, form) for value in values)


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--movies", type=click.IntRange(100), default=_MOVIES, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=_ROUNDS, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="[default: this folder]")
def main(movies: int, rounds: int, output: Path | None) -> None:
    """Measure, print the page and write it."""
    with (
        dask.config.set(_SETTINGS),
        open_databases() as databases,
        open_api(max(movies, _TINY_BATCHES), with_details=True) as api,
    ):
        machine = describe(databases.version())
        runs = Runs(api, databases)
        api.set(latency_seconds=_LATENCY_SECONDS)
        shares = [_measure_share(runs, hosts, movies, rounds) for hosts in _HOSTS]
        api.set()
        page = render(shares, _measure_overhead(runs, rounds), movies, machine)
    is_full = (movies, rounds) == (_MOVIES, _ROUNDS)
    if folder := output or (_HERE if is_full else None):
        (folder / "cluster.md").write_text(page)
    click.echo(page)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.cluster")
