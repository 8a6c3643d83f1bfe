"""`main`: commands that run the long proofs; the test suite holds short versions of them."""

import random
from pathlib import Path

import click

from tests.proofs.clients import prove_clients
from tests.proofs.cluster import prove_cluster
from tests.proofs.faults import prove_faults
from tests.proofs.kills import prove_kills
from tests.proofs.nights import prove_nights


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main():
    """
    Run the long versions of proofs of the test suite; each takes minutes.

    \b
    Examples:
      python -m tests.proofs kills                      200 random kills, 400 movies and more
      python -m tests.proofs kills --kills 20 --seed 7  the first 20 kills of seed 7
      python -m tests.proofs faults                     2,000 movies, 15 % of the responses faulty
      python -m tests.proofs nights                     a month of cron jobs, 300 changes
      python -m tests.proofs cluster                    three hosts, one killed, one cut off (root)
      python -m tests.proofs clients                    published clients of YTS use the server

    Each starts its own sandbox and PostgreSQL in a temporary directory, prints a line for each
    step, and exits 0 if the proof holds, 1 if not.
    """


@main.command()
@click.option("--kills", default=200, show_default=True, help="Number of processes to kill.")
@click.option("--movies", default=400, show_default=True, help="Movies at the beginning.")
@click.option("--seed", type=int, help="Seed of the kills.  [default: random]")
@click.option("--check-every", default=50, show_default=True, help="Kills between comparisons.")
def kills(*, kills: int, movies: int, seed: int | None, check_every: int):
    """Kill workers, main process, PostgreSQL and network at random; compare the tables."""
    seed = random.randrange(10_000) if seed is None else seed
    raise SystemExit(0 if prove_kills(kills, movies, seed, check_every) else 1)


@main.command()
@click.option("--movies", default=2000, show_default=True, help="Movies in the catalogue.")
@click.option(
    "--share", default=0.15, show_default=True, help="Share of the responses with a fault."
)
@click.option("--seed", default=1, show_default=True, help="Seed of the faults.")
@click.option(
    "--rate",
    default="200",
    show_default=True,
    help="Requests a second; with 0 details come with the list pages.",
)
def faults(*, movies: int, share: float, seed: int, rate: str):
    """Apply every fault of the sandbox to responses; compare the tables."""
    raise SystemExit(0 if prove_faults(movies, share, seed, rate) else 1)


@main.command()
@click.option("--nights", default=30, show_default=True, help="Number of nights.")
@click.option("--movies", default=400, show_default=True, help="Movies at the beginning.")
@click.option("--seed", type=int, help="Seed of changes and faults.  [default: random]")
def nights(*, nights: int, movies: int, seed: int | None):
    """Run a month of cron jobs while the catalogue changes and the source fails; compare."""
    seed = random.randrange(10_000) if seed is None else seed
    raise SystemExit(0 if prove_nights(nights, movies, seed) else 1)


@main.command()
@click.option("--movies", default=1000, show_default=True, help="Movies in the catalogue.")
@click.option("--rate", default=20.0, show_default=True, help="Requests a second for all hosts.")
def cluster(*, movies: int, rate: float):
    """Run on three hosts in network namespaces, PostgreSQL on a fourth; compare the tables."""
    raise SystemExit(0 if prove_cluster(movies, rate) else 1)


@main.command()
@click.option("--movies", default=300, show_default=True, help="Movies in the mirror.")
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Folder that keeps the installed clients.  [default: a temporary one]",
)
def clients(*, movies: int, folder: Path | None):
    """Install published clients of the YTS API, and compare what they get with the mirror."""
    raise SystemExit(0 if prove_clients(movies, folder) else 1)


main(prog_name="python -m tests.proofs")
