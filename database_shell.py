#!/usr/bin/env python3
"""Run PostgreSQL's own programs on the mirror: `python database_shell.py --help`."""

from cli.preflight import importing  # first: ends the program where something is missing

# isort: split

import click

from cli.options import Command, exit_codes_epilog
from ingest.exit_codes import ExitCode
from yts import __version__

EPILOG = exit_codes_epilog(
    (
        ExitCode.FATAL,
        ExitCode.USAGE,
        ExitCode.NOT_READY,
    ),
    ending="; otherwise that of PROGRAM, 127 if there is none",
)


@click.command(
    cls=Command,
    # Options after PROGRAM are those of the program.
    context_settings={"allow_interspersed_args": False},
    epilog=EPILOG,
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL of the mirror; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.version_option(__version__, prog_name="yts-mirror")
@click.argument("program", default="psql")
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def main(database_url: str | None, program: str, arguments: tuple[str, ...]) -> None:
    """
    Run PROGRAM, by default psql, on the database of the mirror, and end with its exit code.

    The program gets host, user, password and database in PGHOST and similar variables, and other
    parameters of the URL in a service file (PGSERVICE). The programs of the embedded server are on
    its path: psql, pg_dump, pg_restore and others.

    \b
    Examples:
      python database_shell.py
      python database_shell.py psql -c 'SELECT count(*) FROM movies'
      python database_shell.py pg_dump --format=custom --file=mirror.dump
    """
    with importing():
        from cli.commands.shell import run  # noqa: PLC0415 -- for a fast --help

    run(database_url, program, arguments)


if __name__ == "__main__":
    main()
