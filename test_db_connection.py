#!/usr/bin/env python3
"""Check whether the database is ready for the mirror: `python test_db_connection.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

import click

from cli.options import Command, exit_codes_epilog
from ingest.exit_codes import ExitCode
from yts import __version__

# pytest would collect a file with this name, but this one is a command.
__test__ = False

EPILOG = exit_codes_epilog(
    (
        ExitCode.DONE,
        ExitCode.FATAL,
        ExitCode.USAGE,
        ExitCode.NOT_READY,
        ExitCode.CLOSED_TERMINAL,
        ExitCode.INTERRUPTED,
        ExitCode.TERMINATED,
    ),
    {
        ExitCode.DONE: "ready",
        ExitCode.NOT_READY: "not ready, each ❌ says what to do",
    },
)


@click.command(
    cls=Command,
    context_settings={"auto_envvar_prefix": "YTS"},
    epilog=EPILOG,
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL to check; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option("-v", "--verbose", is_flag=True, help="Show the traceback of a bug.")
@click.version_option(__version__, prog_name="yts-mirror")
def main(database_url: str | None, *, verbose: bool) -> None:
    """
    Check whether the database is ready: connection, versions, tables, migrations; show totals.

    \b
    Examples:
      python test_db_connection.py          the embedded server, or DATABASE_URL
      python test_db_connection.py --database-url postgresql://me@host/movies

    Missing tables are created and older ones migrated, as by a fetch.
    """
    with importing():
        from cli.commands.check import run  # noqa: PLC0415 -- for a fast --help

    run(database_url, is_verbose=verbose)


if __name__ == "__main__":
    main()
