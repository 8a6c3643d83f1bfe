#!/usr/bin/env python3
"""Watch a fetch and judge the mirror: `python monitor_progress.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

import sys
from typing import Any

import click

from cli.early_start import start_database_early
from cli.options import WRITTEN_FILE, Command, Duration, exit_codes_epilog
from ingest.exit_codes import ExitCode
from yts import __version__

EPILOG = exit_codes_epilog(
    (
        ExitCode.DONE,
        ExitCode.FATAL,
        ExitCode.USAGE,
        ExitCode.NOT_READY,
        ExitCode.STALE,
        ExitCode.CLOSED_TERMINAL,
        ExitCode.TERMINATED,
    ),
    {ExitCode.DONE: "done, also after Ctrl-C"},
)
#: Options that write a report instead of the status; one at a time.
_REPORTS = ("failures", "history", "max_age", "prometheus", "html")


@click.command(
    cls=Command,
    context_settings={"auto_envvar_prefix": "YTS"},
    epilog=EPILOG,
)
@click.option(
    "--interval",
    type=Duration(0.1, 86400),
    default="2s",
    show_default=True,
    metavar="2s",
    help="Pause between two updates.",
)
@click.option("--once", is_flag=True, help="Print the status once as plain text, and exit.")
@click.option(
    "--failures", is_flag=True, help="List failures and when they are tried again, and exit."
)
@click.option("--history", is_flag=True, help="List all runs, newest first, and exit.")
@click.option(
    "--limit",
    type=click.IntRange(1),
    metavar="N",
    help="Maximum number of lines of --failures or --history.  [default: all]",
)
@click.option(
    "--max-age",
    type=Duration(),
    metavar="26h",
    help="Exit with code 8 if the last complete run ended longer ago.",
)
@click.option(
    "--prometheus",
    type=WRITTEN_FILE,
    metavar="FILE",
    help="Write metrics for the node exporter's textfile collector, and exit.",
)
@click.option(
    "--html",
    type=WRITTEN_FILE,
    metavar="FILE",
    help="Write a self-contained HTML page with charts, and exit.",
)
@click.option(
    "--json", is_flag=True, help="Print JSON Lines: an object for each status, failure or run."
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL of the mirror; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug.")
@click.version_option(__version__, prog_name="yts-mirror")
def main(**options: Any) -> None:
    """
    Watch a fetch and judge the mirror: totals, rate, ETA, details coverage, newest movies.

    \b
    Examples:
      python monitor_progress.py                  a live view; Ctrl-C ends it
      python monitor_progress.py --once           the current status
      python monitor_progress.py --once --json    the same for programs
      python monitor_progress.py --json >> log    a line every two seconds
      python monitor_progress.py --failures       failures and when they are due
      python monitor_progress.py --max-age 26h    exit code 8 if it is older

    It only reads, and never makes a fetch wait. While the database is away, the live view waits
    for it; --once and the reports exit with code 5.
    """
    if len(reports := [name for name in _REPORTS if options[name]]) > 1:
        first, second, *_ = (f"--{name.replace('_', '-')}" for name in reports)
        raise click.UsageError(f"{first} and {second} cannot be combined; omit one.")
    if options["limit"] and not (options["failures"] or options["history"]):
        raise click.UsageError("--limit is for --failures and --history.")
    try:
        with importing():
            start_database_early(options["database_url"])
            from cli.monitor.command import run  # noqa: PLC0415 -- for a fast --help
    except KeyboardInterrupt:  # The usual way to leave a monitor.
        sys.exit(0)
    run(options)


if __name__ == "__main__":
    main()
