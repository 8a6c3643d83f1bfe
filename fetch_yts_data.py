#!/usr/bin/env python3
"""Mirror the YTS movie catalogue into PostgreSQL: `python fetch_yts_data.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

from types import ModuleType
from typing import TYPE_CHECKING, Any

import click

from cli.early_start import start_database_early
from cli.fetch import option_types as types
from cli.options import READ_FILE, WRITTEN_FILE, Command, Duration, exit_codes_epilog
from ingest.exit_codes import ExitCode
from sandbox.practice_api import open_practice_api
from yts import __version__

if TYPE_CHECKING:
    from ingest.report import BatchReport

EPILOG = exit_codes_epilog(
    (code for code in ExitCode if code != ExitCode.STALE),
    ending=". After an interruption everything fetched so far is saved",
)


@click.command(
    cls=Command,
    context_settings={"auto_envvar_prefix": "YTS"},
    epilog=EPILOG,
)
@click.option("--max-pages", type=click.IntRange(1), help="Maximum number of list pages to read.")
@click.option(
    "--workers", type=click.IntRange(1, 64), default=4, show_default=True, help="Processes."
)
@click.option(
    "--threads",
    type=click.IntRange(1, 64),
    default=4,
    show_default=True,
    help="Concurrent requests of each process.",
)
@click.option(
    "--batch-size",
    type=click.IntRange(1, 1000),
    default=1000,
    show_default=True,
    help="Maximum number of movies in a batch.",
)
@click.option("--ids", type=types.IDS, metavar="1-5000,7001", help="Fetch these ids only.")
@click.option("--no-details", is_flag=True, help="Stop after the list: no cast, no likes.")
@click.option("--update", is_flag=True, help="Read the whole list and write what has changed.")
@click.option("--full", is_flag=True, help="Read the whole list from its first page.")
@click.option(
    "--rate",
    type=click.FloatRange(0),
    metavar="N",
    help="Requests a second of all processes together; 0 means no limit.  "
    f"[default: {types.POLITE_RATE:g}; sandbox: 0]",
)
@click.option("--api-url", type=types.API_URL, metavar="URL", help="Base URL of the API.")
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL to fill; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option(
    "--sandbox", is_flag=True, help="Use a practice API on this machine, without a network."
)
@click.option(
    "--timeout",
    type=Duration(0.1, 600),
    default="30s",
    show_default=True,
    metavar="30s",
    help="Longest silence of the server; a whole response may take 4 times as long.",
)
@click.option(
    "--audit",
    type=click.IntRange(0),
    default=500,
    show_default=True,
    metavar="N",
    help="Maximum number of ids missing from the list to request at the end; 0 turns it off.",
)
@click.option("--no-embed", is_flag=True, help="Make no vectors for what is new or has changed.")
@click.option("--retry-failed", is_flag=True, help="Fetch only recorded failures that are due.")
@click.option(
    "--stale-after", type=Duration(), metavar="30d", help="Also renew details older than this."
)
@click.option(
    "--max-requests", type=click.IntRange(1), metavar="N", help="End after N requests; exit 7."
)
@click.option("--max-duration", type=Duration(), metavar="2h", help="End after this time; exit 7.")
@click.option(
    "--max-errors", type=types.ERROR_LIMIT, metavar="N|P%", help="End after more failures; exit 3."
)
@click.option(
    "--wait-lock",
    type=Duration(0, 86400),
    default="0s",
    metavar="2h",
    help="How long to wait for another fetch on this database.",
)
@click.option(
    "--cluster", type=types.CLUSTER_ADDRESS, metavar="URL", help="Scheduler of a dask cluster."
)
@click.option("--cluster-ca", type=READ_FILE, metavar="FILE", help="CA certificate for tls://.")
@click.option("--cluster-cert", type=READ_FILE, metavar="FILE", help="Own certificate for tls://.")
@click.option("--cluster-key", type=READ_FILE, metavar="FILE", help="Key of the own certificate.")
@click.option("-n", "--dry-run", is_flag=True, help="Show what a run would do; usually 1 request.")
@click.option("--json", is_flag=True, help="Write progress to stdout as JSON Lines.")
@click.option(
    "--log-file", type=WRITTEN_FILE, metavar="FILE", help="Append the progress of the run to FILE."
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="Format of the log file.",
)
@click.option(
    "--ping",
    type=types.PING_URL,
    metavar="URL",
    help="Tell a watchdog such as healthchecks.io how runs end: URL, URL/start and URL/fail.",
)
@click.option("--show-config", is_flag=True, help="Show every option's value and origin, and exit.")
@click.option("-q", "--quiet", is_flag=True, help="Print nothing unless something is wrong.")
@click.option(
    "-v", "--verbose", is_flag=True, help="Print more, such as why a base URL is skipped."
)
@click.version_option(__version__, prog_name="yts-mirror")
def main(**options: Any) -> None:
    """
    Mirror the YTS movie catalogue into PostgreSQL: facts, genres, cast, torrent metadata.

    \b
    Examples:
      python fetch_yts_data.py --sandbox           practice data, offline
      python fetch_yts_data.py                     everything, then what is new
      python fetch_yts_data.py --no-details        the list only: 1,551 requests
      python fetch_yts_data.py --ids 1-5000,7001   these movies by their ids
      python fetch_yts_data.py -q                  for cron: silent success

    Run it again at any time: stored movies are skipped, and an interrupted run continues where it
    ended. The environment or a file .env can set every option, for example YTS_MAX_PAGES=10.
    """
    types.check_options(options)
    with importing():
        if not options["show_config"]:
            start_database_early(options["database_url"])
        from cli.fetch.command import run  # noqa: PLC0415 -- for a fast --help

    run(options, open_practice_api)


def fetch_movie_details(movie_id: int) -> dict[str, Any] | None:
    """
    Fetch one movie with its cast, as YTS gives it; None if YTS does not have it.

    For a few movies by hand: it takes no slot of the shared request budget.

    Raises:
        yts.errors.YtsError: no usable response.
    """
    movie: dict[str, Any] | None = _load_by_hand().fetch_details(movie_id)
    return movie


def process_movie_batch(ids: list[int]) -> "BatchReport":
    """
    Fetch and save the movies with these ids, in this process; stored ones are skipped.

    Raises:
        DatabaseNotReady: the database cannot be used.
    """
    with main.make_context("fetch_yts_data.py", []) as context:
        report: BatchReport = _load_by_hand().process_batch(ids, context.params, open_practice_api)
    return report


def _load_by_hand() -> ModuleType:
    """Import what fetches single movies."""
    with importing():
        from cli.fetch import by_hand  # noqa: PLC0415 -- for a fast --help

    return by_hand


if __name__ == "__main__":
    main()
