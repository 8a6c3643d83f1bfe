"""`measure_share`, `measure_overhead`: fetch by ids on a dask cluster, and on local processes."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import click
import distributed
from sqlalchemy import make_url

from benchmarks.api_process import ApiProcess
from benchmarks.databases import Databases, read_seconds_of_last_run
from database.db import get_db_manager
from ingest.fetch import run_fetch
from ingest.ids import parse_ids
from ingest.run import Listener
from ingest.settings import ClusterSettings, RunSettings
from ingest.stop import StopRequest

THREADS = 4
BATCH = 50
#: Number of batches of one movie, for measuring the cost of a batch.
TINY_BATCHES = 1000
_TINY = 1


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
                threads=THREADS,
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


def measure_share(runs: Runs, hosts: int, movies: int, rounds: int) -> Share:
    """Return the speed of *hosts* hosts and of as many processes, in turn in each round."""
    share = Share(hosts, [], [])
    with _open_cluster(hosts) as address:
        runs.seconds(movies // 10, hosts, BATCH, address)  # Workers import at their first batch.
        for _ in range(rounds):
            share.on_cluster.append(movies / runs.seconds(movies, hosts, BATCH, address))
            share.on_processes.append(movies / runs.seconds(movies, hosts, BATCH, None))
    return share


def measure_overhead(runs: Runs, rounds: int) -> Overhead:
    """Return the cost of a batch on a cluster of two and on two processes."""
    overhead = Overhead([], [])
    with _open_cluster(2) as address:
        runs.seconds(TINY_BATCHES // 10, 2, _TINY, address)
        for _ in range(rounds):
            for values, where in ((overhead.on_cluster, address), (overhead.on_processes, None)):
                seconds = runs.seconds(TINY_BATCHES, 2, _TINY, where)
                values.append(1000 * seconds / TINY_BATCHES)
    return overhead
