"""
Serve a YTS API on this machine until Ctrl-C.

\b
Examples:
  python -m sandbox
  python -m sandbox --movies 77000 --latency 0.5
  python -m sandbox --fault 503=0.1 --fault stall=0.02
  python -m sandbox --fault all=0.15 --rate-limit 20 --retry-after 5

The base URL goes to stdout, all else to stderr. GET /sandbox/stats tells what was asked;
POST /sandbox/add?count=5, /sandbox/remove?ids=1,2, /sandbox/change?ids=3,
/sandbox/spoil?ids=5&how=huge and /sandbox/faults change the catalogue and the faults while it runs.
"""

import logging
import signal
import sys
import threading
from collections.abc import Iterable

import click

from sandbox.api.fault_mix import ALL, FaultMix
from sandbox.api.faults import FAULTS
from sandbox.api.server import open_sandbox
from sandbox.settings import SandboxSettings


def _read_faults(
    _context: click.Context, _option: click.Parameter, texts: Iterable[str]
) -> dict[str, float]:
    """Read NAME=SHARE pairs; of a name given twice the last share counts."""
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
        wanted = f"Write NAME=SHARE with a share from 0 to 1, such as {name or '503'}=0.15"
        raise ValueError(f"{wanted}, not {text!r}.") from None


@click.command(help=__doc__, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--port", type=click.IntRange(0, 65535), default=8765, show_default=True,
              help="Port to listen on; 0 picks a free one.")  # fmt: skip
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--movies", type=click.IntRange(min=0), metavar="N", default=400,
              show_default=True, help="How many movies exist in all.")  # fmt: skip
@click.option("--seed", type=click.IntRange(min=0), metavar="N", default=1, show_default=True,
              help="Another seed, another catalogue.")  # fmt: skip
@click.option("--latency", type=click.FloatRange(min=0), metavar="SECONDS", default=0.0,
              show_default=True, help="Seconds each answer is held back.")  # fmt: skip
@click.option("--rate-limit", type=click.IntRange(min=0), metavar="N", default=0,
              show_default=True, help="Requests a second before 429; 0 for no limit.")  # fmt: skip
@click.option("--fault", "faults", multiple=True, metavar="NAME=SHARE", callback=_read_faults,
              help=f"Spoil a share (0 to 1) of the answers; may be repeated. Names: "
                   f"{', '.join(FAULTS)}; {ALL} spreads its share over all.")  # fmt: skip
@click.option("--retry-after", type=click.IntRange(min=0), metavar="SECONDS",
              help="Seconds to announce with 429 and 503. [default: no header]")  # fmt: skip
@click.option("--stall", type=click.FloatRange(min=0), metavar="SECONDS", default=60.0,
              show_default=True, help="Seconds that a stalled answer stays silent.")  # fmt: skip
@click.option("--varying-cast", is_flag=True,
              help="Name other cast members of a movie from answer to answer.")  # fmt: skip
@click.option("-v", "--verbose", is_flag=True, help="Report each answer.")
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
    except ValueError as error:  # infinities pass click's ranges
        raise click.UsageError(str(error)) from error
    _serve_until_told(settings)


def _serve_until_told(settings: SandboxSettings) -> None:
    told = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: told.set())
    try:
        with open_sandbox(settings) as sandbox:
            click.echo(sandbox.url)
            click.echo(f"{settings.movies} movies, seed {settings.seed}. Ctrl-C ends.", err=True)
            told.wait()
    except OSError as error:
        raise click.ClickException(f"The sandbox cannot start: {error.strerror}.") from error


if __name__ == "__main__":
    main(prog_name="python -m sandbox")
