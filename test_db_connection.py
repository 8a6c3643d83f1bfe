#!/usr/bin/env python3
"""Is the database ready for the mirror? `python test_db_connection.py --help`."""

import cli.preflight  # noqa: F401 -- ends the program where something is missing

# isort: split

import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from cli.options import Command, exit_codes_epilog
from ingest.exit_codes import ExitCode
from yts import __version__

if TYPE_CHECKING:  # Everything heavy is imported when it is needed: `--help` needs none of it.
    from database.check import Check

# pytest takes every file of such a name for its own, but this one is a command.
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
    context_settings={
        "help_option_names": ["-h", "--help"],
        "auto_envvar_prefix": "YTS",
        "max_content_width": 100,
    },
    epilog=EPILOG,
)
@click.option(
    "--database-url",
    metavar="URL",
    envvar="DATABASE_URL",
    help="PostgreSQL to check; DATABASE_URL is the same.  [default: the embedded server]",
)
@click.option("-v", "--verbose", is_flag=True, help="Say more where the program itself breaks.")
@click.version_option(__version__, prog_name="yts-mirror")
def main(database_url: str | None, *, verbose: bool) -> None:
    """
    Is the database ready? Checks connection, versions, tables and migrations; shows totals.

    \b
    Examples:
      python test_db_connection.py          the embedded server, or DATABASE_URL
      python test_db_connection.py --database-url postgresql://me@host/movies

    Tables that are not there yet, or of an older version, are made or migrated, as by a fetch.
    """
    from cli.errors import report_errors  # noqa: PLC0415
    from cli.signals import leave_on_signals  # noqa: PLC0415
    from cli.terminal import prepare_stdout  # noqa: PLC0415

    prepare_stdout()
    with report_errors("test_db_connection.py", is_verbose=verbose), leave_on_signals():
        exit_code = _check(database_url)
    sys.exit(exit_code)


def _check(database_url: str | None) -> int:
    """Show what was found, and return the exit code."""
    from database.check import Check, prepare_and_check  # noqa: PLC0415
    from database.db import DatabaseManager  # noqa: PLC0415
    from database.errors import DatabaseNotReady, InvalidDatabaseUrl  # noqa: PLC0415

    try:
        with DatabaseManager(database_url) as db:
            checks = prepare_and_check(db)
            is_ready = all(check.is_ok for check in checks)
            _show(checks)
            if is_ready:
                click.echo(f"Statistics\n{_in_columns(db.get_stats())}")
            return ExitCode.DONE if is_ready else ExitCode.NOT_READY
    except (InvalidDatabaseUrl, DatabaseNotReady) as error:
        _show([Check("connection", is_ok=False, words=str(error))])
        return ExitCode.USAGE if isinstance(error, InvalidDatabaseUrl) else ExitCode.NOT_READY


def _show(checks: Sequence["Check"]) -> None:
    from cli.terminal import marks  # noqa: PLC0415
    from cli.text import printable  # noqa: PLC0415

    good, bad = marks()
    width = max(len(check.name) for check in checks)
    for check in checks:
        mark = good if check.is_ok else bad
        click.echo(f"{mark} {check.name:<{width}}  {printable(check.words)}")


def _in_columns(stats: Mapping[str, Any]) -> str:
    """Return *stats* as names and values, numbers under numbers."""
    from cli.monitor.wording import local_time  # noqa: PLC0415
    from cli.text import aligned  # noqa: PLC0415

    numbers = {name: f"{it:,}" for name, it in stats.items() if isinstance(it, int | float)}
    width = max(len(number) for number in numbers.values())
    rows = [
        (
            name.removeprefix("total_").replace("_", " "),
            f"{numbers[name]:>{width}}" if name in numbers else local_time(it) if it else "-",
        )
        for name, it in stats.items()
    ]
    return aligned(rows)


if __name__ == "__main__":
    main()
