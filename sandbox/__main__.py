"""
Serve a YTS API with practice data on this machine until Ctrl-C.

\b
Examples:
  python -m sandbox
  python -m sandbox --movies 77000 --latency 0.5
  python -m sandbox --fault 503=0.1 --fault stall=0.02
  python -m sandbox --fault all=0.15 --rate-limit 20 --retry-after 5

The base URL goes to stdout, everything else to stderr. While it runs, GET /sandbox/stats
returns counts of all requests, and POST /sandbox/add?count=5, /sandbox/remove?ids=1,2,
/sandbox/change?ids=3, /sandbox/corrupt?ids=5&how=huge and /sandbox/faults change the catalogue
and the faults.
"""

import logging
import signal
import sys
import threading
from collections.abc import Iterable

import click

from sandbox.api.fault_mix import ALL, FaultMix
from sandbox.api.faults import FAULTS
from sandbox.api.sandbox_server import open_sandbox
from sandbox.settings import SandboxSettings


def _read_faults(
    _context: click.Context, _option: click.Parameter, texts: Iterable[str]
) -> dict[str, float]:
    """Return NAME=SHARE pairs as a dict; if a name is given twice, the last share counts."""
    try:
        shares = dict(_read_fault(text) for text in texts)
        FaultMix(shares, seed=0)
    except ValueError as error:
        raise click.BadParameter(str(error)) from error
    return shares


def _read_fault(text: str) -> tuple[str, float]:
    name, _, share = text.partition("=")
    try:
        return name, float(share)
    except ValueError:
        expected = f"Write NAME=SHARE with a share from 0 to 1, such as {name or '503'}=0.15"
        raise ValueError(f"{expected}, not {text!r}.") from None


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
              help="Port to listen on; 0 picks a free one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--movies", type=click.IntRange(min=0), metavar="N", default=400,
              show_default=True, help="Number of movies.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=1, show_default=True,
              help="Seed of the catalogue: another seed gives other movies.")  # fmt: skip
@click.option("--latency", type=click.FloatRange(min=0), metavar="SECONDS", default=0.0,
              show_default=True, help="Seconds to wait before each response.")  # fmt: skip
@click.option("--rate-limit", type=click.IntRange(min=0), metavar="N", default=0,
              show_default=True, help="Requests per second before 429; 0: no limit.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="NAME=SHARE", callback=_read_faults,
              help=f"Apply a fault to a share (0 to 1) of the requests; may be repeated. Names: "
                   f"{', '.join(FAULTS)}; {ALL} spreads its share over all faults.")  # fmt: skip
@click.option("--retry-after", type=click.IntRange(min=0), metavar="SECONDS",
              help="Retry-After header of 429 and 503. [default: no header]")  # fmt: skip
@click.option("--stall", type=click.FloatRange(min=0), metavar="SECONDS", default=60.0,
              show_default=True, help="Length of a stall in seconds.")  # fmt: skip
@click.option("--varying-cast", is_flag=True,
              help="Send other cast members of a movie in each response.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Log each response to stderr.")
def main(
    *, port: int, host: str, movies: int, seed: int, latency: float, rate_limit: int,
    faults: dict[str, float], retry_after: int | None, stall: float, varying_cast: bool,
    verbose: bool,
) -> None:  # fmt: skip
    level = logging.INFO if verbose else logging.WARNING
    logging.basicConfig(level=level, format="%(asctime)s %(message)s", stream=sys.stderr)
    try:
        settings = SandboxSettings(
            host=host, port=port, movies=movies, seed=seed, latency_seconds=latency,
            rate_limit=rate_limit, faults=faults, retry_after_seconds=retry_after,
            stall_seconds=stall, steady_cast=not varying_cast,
        )  # fmt: skip
    except ValueError as error:  # click's ranges accept infinity
        raise click.UsageError(str(error)) from error
    _serve_until_signal(settings)


def _serve_until_signal(settings: SandboxSettings) -> None:
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    try:
        with open_sandbox(settings) as sandbox:
            click.echo(sandbox.url)
            click.echo(f"{settings.movies} movies, seed {settings.seed}. Ctrl-C ends.", err=True)
            stop.wait()
    except OSError as error:
        raise click.ClickException(f"The sandbox cannot start: {error.strerror}.") from error


if __name__ == "__main__":
    main(prog_name="python -m sandbox")
