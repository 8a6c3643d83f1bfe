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

from pathlib import Path

import click
import dask

from benchmarks.api_process import open_api
from benchmarks.cluster.cluster_page import LATENCY_SECONDS, render
from benchmarks.cluster.measures import TINY_BATCHES, Runs, measure_overhead, measure_share
from benchmarks.databases import open_databases
from benchmarks.machine import describe

_HERE = Path(__file__).parent
_MOVIES, _ROUNDS = 1200, 3
_HOSTS = (1, 2, 3)
#: The same value as in deploy/dask.yaml.
_SETTINGS = {
    "distributed.worker.profile.enabled": False,
    "distributed.scheduler.worker-saturation": 1.0,
}


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--movies", type=click.IntRange(100), default=_MOVIES, show_default=True)
@click.option("--rounds", type=click.IntRange(1), default=_ROUNDS, show_default=True)
@click.option("--output", type=click.Path(path_type=Path), help="[default: this folder]")
def main(movies: int, rounds: int, output: Path | None) -> None:
    """Measure, print the page and write it."""
    with (
        dask.config.set(_SETTINGS),
        open_databases() as databases,
        open_api(max(movies, TINY_BATCHES), with_details=True) as api,
    ):
        machine = describe(databases.version())
        runs = Runs(api, databases)
        api.set(latency_seconds=LATENCY_SECONDS)
        shares = [measure_share(runs, hosts, movies, rounds) for hosts in _HOSTS]
        api.set()
        page = render(shares, measure_overhead(runs, rounds), movies, machine)
    is_full = (movies, rounds) == (_MOVIES, _ROUNDS)
    if folder := output or (_HERE if is_full else None):
        (folder / "cluster.md").write_text(page)
    click.echo(page)


if __name__ == "__main__":
    main(prog_name="python -m benchmarks.cluster")
